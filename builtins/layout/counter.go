package layout

import (
	"strings"

	"bpfsh/runtime/method"

	"github.com/cilium/ebpf/btf"
)

// Counter finds a number in values of t that a program can add to in one step: an integer of 4 or 8 bytes in the
// machine's order, aligned. path names the fields on the way, with dots between; "" is the value itself.
//
// The error is an *EncodeError.
func (t *Type) Counter(path string) (offset int, number *Type, err error) {
	number = t
	if path != "" {
		for name := range strings.SplitSeq(path, ".") {
			if number.record == nil {
				return 0, nil, badf("%s has no field %s", number, name)
			}
			i, ok := number.record.index[name]
			if !ok {
				return 0, nil, badf("%s", number.record.unknown(name))
			}
			f := &number.record.fields[i]
			if f.kernel != "" {
				return 0, nil, badf("field %s is a %s, which belongs to the kernel", path, f.kernel)
			}
			if _, bits := f.codec.(bitCodec); bits {
				return 0, nil, badf("field %s is a bit field: a program adds to numbers of 4 or 8 bytes", path)
			}
			offset, number = offset+f.start/8, f.typ
		}
	}
	if number.record != nil {
		names := number.record.names()
		return 0, nil, badf("%s is a struct: field= names the number in it; it has %s", number.short(), listNames(names))
	}
	c, ok := integerOf(number.codec)
	u, isInt := btf.UnderlyingType(number.btf).(*btf.Int)
	if !ok || !isInt || u.Encoding == btf.Bool || c.big != hostBig || c.size != 4 && c.size != 8 {
		return 0, nil, badf("%s: a program adds to integers of 4 or 8 bytes in the machine's order", number)
	}
	if offset%int(c.size) != 0 {
		return 0, nil, badf("field %s is at byte %d, not aligned to its %s", path, offset, method.Counted(int(c.size), "byte"))
	}
	return offset, number, nil
}
