package layout

import (
	"fmt"
	"math"
	"time"

	"go.starlark.net/starlark"
)

// label puts the name of a number before it: "eth0 (2)". Zero has none, and stays alone.
func label(name func() (string, bool), v starlark.Int) (string, bool) {
	if v.Sign() == 0 {
		return "0", true
	}
	s, ok := name()
	return fmt.Sprintf("%s (%s)", s, v), ok
}

func showInterface(t *Type, v starlark.Int) (string, bool) {
	if t.host == nil || t.host.Interface == nil {
		return v.String(), true
	}
	return label(func() (string, bool) { return t.host.Interface(uint32(t.uint(v).Uint64())) }, v)
}

// showUser: user 0 has a name, too.
func showUser(t *Type, v starlark.Int) (string, bool) {
	if t.host == nil || t.host.User == nil {
		return v.String(), true
	}
	name, ok := t.host.User(uint32(t.uint(v).Uint64()))
	return fmt.Sprintf("%s (%s)", name, v), ok
}

// showErrno: the kernel returns an error as a negative number, and programs keep it so or turned round.
func showErrno(t *Type, v starlark.Int) (string, bool) {
	if t.host == nil || t.host.Errno == nil {
		return v.String(), true
	}
	return label(func() (string, bool) { return t.host.Errno(v.BigInt().Abs(v.BigInt()).Uint64()) }, v)
}

func showSignal(t *Type, v starlark.Int) (string, bool) {
	if t.host == nil || t.host.Signal == nil {
		return v.String(), true
	}
	return label(func() (string, bool) { return t.host.Signal(uint32(t.uint(v).Uint64())) }, v)
}

func showProcess(t *Type, v starlark.Int) (string, bool) {
	if t.host == nil || t.host.Process == nil {
		return v.String(), true
	}
	return label(func() (string, bool) { return t.host.Process(uint32(t.uint(v).Uint64())) }, v)
}

func showCgroup(t *Type, v starlark.Int) (string, bool) {
	if t.host == nil || t.host.Cgroup == nil {
		return v.String(), true
	}
	return label(func() (string, bool) { return t.host.Cgroup(t.uint(v).Uint64()) }, v)
}

// showDevice takes the number apart as the kernel keeps it: 12 bits for the driver, 20 for the device.
func showDevice(t *Type, v starlark.Int) (string, bool) {
	n := t.uint(v).Uint64()
	return fmt.Sprintf("%d:%d", n>>20, n&(1<<20-1)), true
}

// showSymbol: an address that no symbol covers is still an address, which nobody reads in decimal.
func showSymbol(t *Type, v starlark.Int) (string, bool) {
	text, _ := showHex(t, v)
	if t.host == nil || t.host.Symbol == nil || v.Sign() == 0 {
		return text, true
	}
	if name, ok := t.host.Symbol(t.uint(v).Uint64()); ok {
		return name, true
	}
	return text + "?", true
}

// showHex has all digits of the type's size, so that a column of them is in order.
func showHex(t *Type, v starlark.Int) (string, bool) {
	return fmt.Sprintf("0x%0*x", 2*t.size, t.uint(v)), true
}

// protocols are the IP protocols that are seen on networks, by IANA's names.
var protocols = map[uint64]string{
	1: "ICMP", 2: "IGMP", 4: "IPv4", 6: "TCP", 17: "UDP", 33: "DCCP", 41: "IPv6", 43: "IPv6-Route", 44: "IPv6-Frag",
	46: "RSVP", 47: "GRE", 50: "ESP", 51: "AH", 58: "IPv6-ICMP", 59: "IPv6-NoNxt", 60: "IPv6-Opts", 88: "EIGRP",
	89: "OSPF", 94: "IPIP", 103: "PIM", 112: "VRRP", 132: "SCTP", 136: "UDPLite", 137: "MPLS",
}

func showProtocol(t *Type, v starlark.Int) (string, bool) {
	return label(func() (string, bool) {
		name, ok := protocols[t.uint(v).Uint64()]
		return name, ok
	}, v)
}

func showDuration(t *Type, v starlark.Int) (string, bool) {
	n, ok := v.Int64()
	if !ok {
		return "", false
	}
	return roundDuration(time.Duration(n)).String(), true
}

// roundDuration leaves three digits behind the point, and none beyond an hour.
func roundDuration(d time.Duration) time.Duration {
	switch n := d.Abs(); {
	case n >= time.Hour:
		return d.Round(time.Second)
	case n >= time.Second:
		return d.Round(time.Millisecond)
	case n >= time.Millisecond:
		return d.Round(time.Microsecond)
	default:
		return d
	}
}

// showKtime is the time of the day, in order as text, and how long ago it was. Zero is never.
func showKtime(t *Type, v starlark.Int) (string, bool) {
	if t.host == nil || t.host.Clock == nil || v.Sign() == 0 {
		return v.String(), true
	}
	since, now := t.host.Clock()
	at := t.uint(v)
	if !at.IsInt64() || since > math.MaxInt64 {
		return "", false
	}
	left := time.Duration(at.Int64() - int64(since))
	return fmt.Sprintf("%s (%s)", now.Add(left).Format("2006-01-02 15:04:05.000Z07:00"), fromNow(left)), true
}

// fromNow says how far away a time is: "4.2s ago", "in 3m10s", "12d5h ago".
func fromNow(left time.Duration) string {
	d, day := left.Abs(), 24*time.Hour
	var s string
	switch {
	case d >= day:
		s = fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
	case d >= time.Minute:
		s = d.Truncate(time.Second).String()
	case d >= time.Second:
		s = d.Truncate(100 * time.Millisecond).String()
	default:
		s = d.Truncate(time.Millisecond).String()
	}
	if left > 0 {
		return "in " + s
	}
	return s + " ago"
}
