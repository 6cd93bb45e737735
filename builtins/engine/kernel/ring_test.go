package kernel_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel"

	"golang.org/x/sys/unix"
)

// texts are the records that are there.
func texts(t *testing.T, s engine.Stream) (list []string) {
	t.Helper()
	for {
		b, ok := take(t, s)
		if !ok {
			return list
		}
		list = append(list, string(b))
	}
}

func wantTexts(t *testing.T, what string, s engine.Stream, want ...string) {
	t.Helper()
	if got := texts(t, s); !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// TestRingRecords gives records to a tap and a consumer in the states that a program leaves them in.
func TestRingRecords(t *testing.T) {
	i := kernel.NewImage(256)
	tap, consumer := i.Tap(0, false), i.Consume()
	wantTexts(t, "empty", tap)
	i.Send("a")
	i.Send("")
	dropped := i.Reserve(20)
	i.Send("b")
	wantTexts(t, "before a busy one, to a tap", tap, "a", "")
	wantTexts(t, "before a busy one, to a consumer", consumer, "a", "")
	if i.Consumer != 24 {
		t.Errorf("the consumer's position is %d, want 24: behind two records", i.Consumer)
	}
	i.Header(dropped, 20|unix.BPF_RINGBUF_DISCARD_BIT)
	wantTexts(t, "behind a discarded one, to a tap", tap, "b")
	before := i.Consumer
	if b, err := consumer.Next(nil); string(b) != "b" || err != nil {
		t.Errorf("behind a discarded one, to a consumer: %q, %v", b, err)
	}
	if i.Consumer != before+32 {
		t.Errorf("a discarded record is freed to %d, want %d, and the one behind it not before it is taken", i.Consumer, before+32)
	}
	wantTexts(t, "what was not taken", consumer, "b")
	if b, err := tap.Next([]byte("before ")); string(b) != "before " || err != unix.EAGAIN {
		t.Errorf("at the end: %q, %v", b, err)
	}
	// Records of all lengths, around the end of the ring and over it.
	for n := range 200 {
		text := strings.Repeat(string(rune('a'+n%26)), n)
		i.Send(text)
		wantTexts(t, fmt.Sprint("a tap, ", n), tap, text)
		wantTexts(t, fmt.Sprint("a consumer, ", n), consumer, text)
	}
	if missed := tap.Missed(); missed != (engine.Missed{}) {
		t.Errorf("the tap has missed %+v", missed)
	}
}

// TestRingUnconsumed counts the bytes that leave no room.
func TestRingUnconsumed(t *testing.T) {
	i := kernel.NewImage(256)
	i.Producer[0], i.Consumer = ^uintptr(0)-7, ^uintptr(0)-7 // positions may wrap around
	i.Send("a")
	i.Reserve(20)
	for name, s := range map[string]engine.Stream{"tap": i.Tap(i.Consumer, false), "consumer": i.Consume()} {
		if got := s.Unconsumed(); got != 48 {
			t.Errorf("to a %s: %d, want 48", name, got)
		}
	}
	if got := i.Tap(i.Consumer, true).Unconsumed(); got != 0 {
		t.Errorf("where records take the place of older ones: %d, want 0", got)
	}
	i.Consumer = i.Producer[0] + 8 // as no consumer should
	if got := i.Tap(i.Consumer, false).Unconsumed(); got != 0 {
		t.Errorf("the consumer before the producer: %d, want 0", got)
	}
}

// TestRingIntact asks for each distance of the producer and the consumer whether a record is whole.
func TestRingIntact(t *testing.T) {
	const size, at = 256, 1024
	for _, start := range []uintptr{at, ^uintptr(0) - 127} { // positions may wrap around
		for ahead := uintptr(8); ahead <= size+8; ahead += 8 {
			for behind := uintptr(0); behind <= ahead; behind += 8 {
				i := kernel.NewImage(size)
				i.Producer[0], i.Consumer = start+ahead, start+ahead-behind
				consumed := ahead != behind
				want := ahead <= kernel.Reach(size) || !consumed && ahead <= size
				if got := i.Intact(start); got != want {
					t.Errorf("the producer %d ahead, the consumer %d behind it: intact %v, want %v", ahead, behind, got, want)
				}
			}
		}
	}
	if got := kernel.Reach(size); got != size-8 && got != size/2 {
		t.Errorf("the reach is %d", got)
	}
}

// TestRingResume lets the producer come round: the tap goes on at the consumer's position.
func TestRingResume(t *testing.T) {
	i := kernel.NewImage(128)
	tap := i.Tap(0, false)
	send := func(text string) { // 16 bytes, consumed if there is no room
		if i.Producer[0]+16-i.Consumer > 127 {
			i.Consumer += 16
		}
		i.Send(text)
	}
	for n := range 12 {
		send(fmt.Sprint(n))
	}
	wantTexts(t, "written over", tap, "5", "6", "7", "8", "9", "10", "11")
	if missed := tap.Missed(); missed != (engine.Missed{Times: 1, Amount: 5 * 16}) {
		t.Errorf("missed %+v", missed)
	}
	// What was not consumed is intact, however near the producer is.
	for i.Consumer = i.Producer[0]; i.Producer[0]-i.Consumer < 112; {
		i.Send("x")
	}
	i.Header(i.Producer[0], 1<<20) // the header of a record whose reservation is not told yet
	wantTexts(t, "a full ring", tap, "x", "x", "x", "x", "x", "x", "x")
	// A consumer that leaves its position in the middle of a record, or goes back, gives no place to go on at.
	for _, odd := range []int{-4, -104, -256, 64} {
		for range 9 {
			i.Send("y")
		}
		i.Consumer = i.Producer[0] + uintptr(odd)
		before := tap.Missed()
		wantTexts(t, fmt.Sprint("the consumer at ", odd), tap)
		if got := tap.Missed(); got.Times == before.Times || uint64(i.Producer[0]) != tap.Position() {
			t.Errorf("the consumer at %d: missed %+v, and the tap is at %d of %d", odd, got, tap.Position(), i.Producer[0])
		}
	}
}

// TestRingOverwrites reads a ring where new records take the place of old ones: the kernel tells which is the oldest.
func TestRingOverwrites(t *testing.T) {
	i := kernel.NewImage(128)
	tap := i.Tap(0, true)
	for n := range 12 {
		i.Send(fmt.Sprint(n))
	}
	i.Producer[2] = i.Producer[0] - 112
	wantTexts(t, "written over, with nobody to consume", tap, "5", "6", "7", "8", "9", "10", "11")
	if missed := tap.Missed(); missed != (engine.Missed{Times: 1, Amount: 5 * 16}) {
		t.Errorf("missed %+v", missed)
	}
	i.Producer[0] += 128 // over all of them, although nobody has consumed
	i.Producer[2] = i.Producer[0]
	late := i.Tap(i.Producer[0]-128, true)
	if b, err := late.Next(nil); err == nil && len(b) > 0 || late.Missed().Times == 0 {
		t.Errorf("a record at the edge: %q, %v", b, err)
	}
}

// TestConsumerBeside lets another consumer take records: neither is to go on as if it had all.
func TestConsumerBeside(t *testing.T) {
	i := kernel.NewImage(128)
	consumer := i.Consume()
	i.Send("a")
	i.Send("b")
	if b, err := consumer.Next(nil); string(b) != "a" || err != nil {
		t.Fatalf("%q, %v", b, err)
	}
	i.Consumer = 16
	if err := consumer.Take(); err != unix.EBUSY {
		t.Errorf("taking what another has taken: %v, want EBUSY", err)
	}
	if _, err := consumer.Next(nil); err != unix.EBUSY {
		t.Errorf("the next one: %v, want EBUSY", err)
	}
	if i.Consumer != 16 {
		t.Errorf("the other's position was moved to %d", i.Consumer)
	}
	if _, err := consumer.Begin(); err != nil {
		t.Error(err)
	}
	wantTexts(t, "begun again behind the other", consumer, "b")
	i.Send("c")
	for _, odd := range []uintptr{4, 8, 40} { // no record begins there, or none is there yet
		i.Consumer = odd
		if b, err := i.Consume().Next(nil); err == nil || err == unix.EAGAIN {
			t.Errorf("at %d: %q, %v", odd, b, err)
		}
	}
}
