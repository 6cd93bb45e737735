package layout

import (
	"slices"
	"strings"
	"text/scanner"

	"github.com/cilium/ebpf/btf"
)

// basic are the integers and floats, each under all its names. The first is ours; C's take their words in any order.
var basic = []struct {
	names string
	btf   btf.Type
}{
	{"u8, __u8, uint8_t, unsigned char", uint8Type},
	{"u16, __u16, uint16_t, unsigned short, unsigned short int", uint16Type},
	{"u32, __u32, uint32_t, unsigned, unsigned int", uint32Type},
	{"u64, __u64, uint64_t, size_t, unsigned long, unsigned long int, unsigned long long, unsigned long long int", uint64Type},
	{"u128, __u128, __uint128_t, unsigned __int128", &btf.Int{Name: "u128", Size: 16}},
	{"i8, s8, __s8, int8_t, signed char", signedType("i8", 1)},
	{"i16, s16, __s16, int16_t, short, short int, signed short, signed short int", signedType("i16", 2)},
	{"i32, s32, __s32, int32_t, int, signed, signed int", signedType("i32", 4)},
	{"i64, s64, __s64, int64_t, ssize_t, long, long int, signed long, signed long int, " +
		"long long, long long int, signed long long, signed long long int", signedType("i64", 8)},
	{"i128, s128, __s128, __int128_t, __int128, signed __int128", signedType("i128", 16)},
	{"char", charType},
	{"bool, _Bool", &btf.Int{Name: "bool", Size: 1, Encoding: btf.Bool}},
	{"f32, float", &btf.Float{Name: "float", Size: 4}},
	{"f64, double", &btf.Float{Name: "double", Size: 8}},
}

// IsSpelling says whether text begins with what the spelling of a type can begin with.
func IsSpelling(text string) bool {
	if end := strings.IndexAny(text, " [(*"); end > 0 {
		text = text[:end]
	}
	return text != "" && slices.Contains(typeNames, text)
}

func signedType(name string, size uint32) btf.Type {
	return &btf.Int{Name: name, Size: size, Encoding: btf.Signed}
}

// basicByWords finds a basic type by the words of its name, sorted. basicWords are those that can be one of several.
// typeNames are all the names a type can start with.
var basicByWords, basicWords, typeNames = indexBasic()

func indexBasic() (byWords map[string]btf.Type, words map[string]bool, names []string) {
	byWords, words = map[string]btf.Type{}, map[string]bool{}
	names = []string{"struct", "union", "enum", "bytes", "void"}
	for _, n := range named {
		names = append(names, n.name, n.alias)
	}
	for _, h := range hintTable {
		names = append(names, h.name)
	}
	for _, b := range basic {
		for name := range strings.SplitSeq(b.names, ", ") {
			names = append(names, name)
			split := strings.Fields(name)
			byWords[sortedWords(split)] = b.btf
			for _, w := range split {
				words[w] = words[w] || len(split) > 1
			}
		}
	}
	return byWords, words, names
}

func sortedWords(words []string) string {
	return strings.Join(slices.Sorted(slices.Values(words)), " ")
}

// basicType reads an integer or a float, whose C name may be several words: unsigned long long int.
func (p *parser) basicType() btf.Type {
	at := p.tok.at
	words := []string{p.ident("a type")}
	for basicWords[words[0]] && p.tok.kind == scanner.Ident && basicWords[p.tok.text] {
		words = append(words, p.ident("a type"))
	}
	t, ok := basicByWords[sortedWords(words)]
	if !ok && len(words) == 1 {
		return p.find(at, words[0])
	}
	if !ok {
		p.failAt(at, "no type %s", strings.Join(words, " "))
	}
	return t
}
