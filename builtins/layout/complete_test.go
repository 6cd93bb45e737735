package layout

import (
	"fmt"
	"testing"
)

// TestComplete offers the fields that may be named.
func TestComplete(t *testing.T) {
	flow, err := Parse("struct { u64 packets; u64 bytes; u8 in; }")
	if err != nil {
		t.Fatal(err)
	}
	r := flow.Decode(make([]byte, flow.Size())).(*Record)
	for _, test := range []struct{ got, want []string }{
		{flow.Complete("", ""), []string{"packets", "bytes", "in"}},
		{flow.Complete("", "pa"), []string{"packets"}},
		{flow.Complete("raw", ""), nil},
		{r.Complete("fields", "b"), []string{"bytes"}},
		{r.Complete("key", ""), []string{`"packets"`, `"bytes"`, `"in"`}},
		{r.Complete("key", `"i`), []string{`"in"`}},
		{r.Complete("", ""), nil},
	} {
		if fmt.Sprint(test.got) != fmt.Sprint(test.want) {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
	number, err := Parse("u32")
	if err != nil {
		t.Fatal(err)
	}
	if got := number.Complete("", ""); got != nil {
		t.Errorf("a number has fields: %q", got)
	}
}
