package layout

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/scanner"
	"unicode/utf8"

	"bpfsh/runtime/method"

	"github.com/cilium/ebpf/btf"
)

// Parse compiles a type from its spelling, which is C's with short names for the integers: "u32", "char[16]",
// "struct { ipv4 saddr; be16 port; u8 proto; }". Structs get C's alignment.
//
// The error names the column, and what was expected there.
func Parse(spelling string) (*Type, error) {
	t, err := parse(spelling)
	if err != nil {
		return nil, err
	}
	return Of(t)
}

const (
	maxSpelling = 64 << 10 // bytes; a type that needs more was not written by a person
	maxDepth    = 32       // structs within structs
	maxSize     = 1 << 28  // bytes; the kernel's own limits are lower
)

type parser struct {
	text  string
	scan  scanner.Scanner
	tok   rune
	depth int
}

// SyntaxError is a spelling that is not a type.
type SyntaxError struct {
	Spelling string
	Column   int // from 1, in characters
	Text     string
}

func (e *SyntaxError) Error() string {
	shown := e.Spelling
	if len(shown) > 80 {
		shown = shown[:77] + "…"
	}
	return fmt.Sprintf("type %s, column %d: %s", strconv.Quote(shown), e.Column, e.Text)
}

func parse(spelling string) (_ btf.Type, err error) {
	if len(spelling) > maxSpelling {
		return nil, fmt.Errorf("a type of %d characters is too long (at most %d)", len(spelling), maxSpelling)
	}
	p := &parser{text: spelling}
	p.scan.Init(strings.NewReader(spelling))
	p.scan.Mode = scanner.ScanIdents | scanner.ScanInts | scanner.ScanComments | scanner.SkipComments
	p.scan.Error = func(*scanner.Scanner, string) {} // what it cannot read becomes a token that fits nowhere
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *SyntaxError:
			err = e
		default:
			panic(e)
		}
	}()
	p.next()
	t := p.declaredType()
	if p.tok != scanner.EOF {
		p.fail("got %s after the type", p.token())
	}
	return t, nil
}

func (p *parser) next() { p.tok = p.scan.Scan() }

func (p *parser) token() string {
	if p.tok == scanner.EOF {
		return "the end"
	}
	return strconv.Quote(p.scan.TokenText())
}

// fail unwinds to parse. The grammar is a dozen mutually recursive methods, each of which may fail.
func (p *parser) fail(format string, args ...any) {
	at := min(p.scan.Position.Offset, len(p.text))
	if p.tok == scanner.EOF {
		at = len(p.text)
	}
	panic(&SyntaxError{p.text, 1 + utf8.RuneCountInString(p.text[:at]), fmt.Sprintf(format, args...)})
}

func (p *parser) expect(tok rune) {
	if p.tok != tok {
		p.fail("got %s, want %q", p.token(), string(tok))
	}
	p.next()
}

func (p *parser) ident(what string) string {
	if p.tok != scanner.Ident {
		p.fail("got %s, want %s", p.token(), what)
	}
	name := p.scan.TokenText()
	p.next()
	return name
}

// declaredType is a type that may be an array: u32[4].
func (p *parser) declaredType() btf.Type {
	t, isBytes := p.baseType()
	dims := p.dimensions()
	if isBytes && len(dims) == 0 {
		p.fail("bytes needs a size, such as bytes[6]")
	}
	return p.array(t, dims)
}

func (p *parser) dimensions() (dims []uint32) {
	for p.tok == '[' {
		p.next()
		if p.tok != scanner.Int {
			p.fail("got %s, want the number of elements", p.token())
		}
		n, err := strconv.ParseUint(p.scan.TokenText(), 0, 32)
		if err != nil || n > maxSize {
			p.fail("an array of %s elements is too large", p.scan.TokenText())
		}
		p.next()
		p.expect(']')
		dims = append(dims, uint32(n))
	}
	return dims
}

// array wraps t in its dimensions, the last one innermost.
func (p *parser) array(t btf.Type, dims []uint32) btf.Type {
	size, err := btf.Sizeof(t)
	if err != nil {
		p.fail("%v", err)
	}
	for i := len(dims) - 1; i >= 0; i-- {
		if size *= int(dims[i]); size > maxSize {
			p.fail("a type of more than %d bytes is too large", maxSize)
		}
		t = &btf.Array{Index: uint32Type, Type: t, Nelems: dims[i]}
	}
	return t
}

// baseType is a type without dimensions. isBytes says that it is the element of bytes[N], which is no type alone.
func (p *parser) baseType() (t btf.Type, isBytes bool) {
	start := p.scan.Position
	name := p.ident("a type")
	switch name {
	case "struct":
		return p.structType(), false
	case "bytes":
		return &btf.Typedef{Name: "bytes", Type: uint8Type}, true
	}
	if t := namedType(name); t != nil {
		return t, false
	}
	// C's integers are several words: unsigned long long int.
	words := []string{name}
	for isCWord[name] && p.tok == scanner.Ident && isCWord[p.scan.TokenText()] {
		words = append(words, p.scan.TokenText())
		p.next()
	}
	spelled := strings.Join(words, " ")
	if t, ok := basic[spelled]; ok {
		return t, false
	}
	if t, ok := basic[sortedWords(words)]; ok {
		return t, false
	}
	p.scan.Position, p.tok = start, scanner.Ident
	hint := method.DidYouMean(spelled, typeNames())
	p.fail("no type %s%s", spelled, hint)
	return nil, false
}

func (p *parser) structType() btf.Type {
	if p.depth++; p.depth > maxDepth {
		p.fail("more than %d structs inside each other", maxDepth)
	}
	defer func() { p.depth-- }()
	s := &btf.Struct{}
	if p.tok == scanner.Ident {
		s.Name = p.ident("a name")
	}
	if p.tok != '{' {
		if s.Name == "bpf_spin_lock" {
			return spinLock
		}
		if s.Name != "" {
			p.fail("got %s, want the fields of struct %s in braces", p.token(), s.Name)
		}
		p.fail("got %s, want \"{\"", p.token())
	}
	p.next()
	seen := map[string]bool{}
	end, align := 0, 1
	for p.tok != '}' {
		t, isBytes := p.baseType()
		for {
			front := p.dimensions() // char[16] name, as well as C's char name[16]
			name := p.ident("the name of a field")
			if seen[name] {
				p.fail("two fields named %s", name)
			}
			seen[name] = true
			dims := append(p.dimensions(), front...)
			if isBytes && len(dims) == 0 {
				p.fail("bytes needs a size, such as bytes %s[6]", name)
			}
			ft := p.array(t, dims)
			size, err := btf.Sizeof(ft)
			if err != nil {
				p.fail("%v", err)
			}
			a := alignOf(ft)
			end = (end + a - 1) / a * a
			align = max(align, a)
			s.Members = append(s.Members, btf.Member{Name: name, Type: ft, Offset: btf.Bits(end * 8)})
			if end += size; end > maxSize {
				p.fail("a struct of more than %d bytes is too large", maxSize)
			}
			if p.tok != ',' {
				break
			}
			p.next()
		}
		if p.tok == ':' {
			p.fail("bit fields cannot be spelled")
		}
		p.expect(';')
	}
	p.next()
	if len(s.Members) == 0 {
		p.fail("a struct without fields")
	}
	s.Size = uint32((end + align - 1) / align * align)
	return s
}

// alignOf is C's alignment on 64-bit machines.
func alignOf(t btf.Type) int {
	switch u := btf.UnderlyingType(t).(type) {
	case *btf.Array:
		return alignOf(u.Type)
	case *btf.Struct:
		align := 1
		for _, m := range u.Members {
			align = max(align, alignOf(m.Type))
		}
		return align
	default:
		size, err := btf.Sizeof(u)
		if err != nil || size == 0 {
			return 1
		}
		return size
	}
}

// spinLock is the kernel's struct bpf_spin_lock, which it knows by this name.
var spinLock = &btf.Struct{Name: "bpf_spin_lock", Size: 4, Members: []btf.Member{{Name: "val", Type: uint32Type}}}

// basic are the integers and floats under all their names; of several words, in alphabetical order too.
var basic = basicTypes()

var isCWord = map[string]bool{"unsigned": true, "signed": true, "char": true, "short": true, "int": true, "long": true, "double": true}

func basicTypes() map[string]btf.Type {
	types := map[string]btf.Type{
		"bool": &btf.Int{Name: "bool", Size: 1, Encoding: btf.Bool}, "_Bool": &btf.Int{Name: "bool", Size: 1, Encoding: btf.Bool},
		"char": &btf.Int{Name: "char", Size: 1, Encoding: btf.Signed},
		"f32":  &btf.Float{Name: "float", Size: 4}, "float": &btf.Float{Name: "float", Size: 4},
		"f64": &btf.Float{Name: "double", Size: 8}, "double": &btf.Float{Name: "double", Size: 8},
	}
	for size, names := range map[uint32]string{
		1: "u8 __u8 uint8_t|unsigned char|i8 s8 __s8 int8_t|signed char",
		2: "u16 __u16 uint16_t|unsigned short,unsigned short int|i16 s16 __s16 int16_t short|short int,signed short,signed short int",
		4: "u32 __u32 uint32_t unsigned|unsigned int|i32 s32 __s32 int32_t int signed|signed int",
		8: "u64 __u64 uint64_t size_t|unsigned long,unsigned long int,unsigned long long,unsigned long long int|" +
			"i64 s64 __s64 int64_t ssize_t long|long int,signed long,signed long int,long long,long long int,signed long long,signed long long int",
		16: "u128 __u128 __uint128_t||i128 s128 __s128 __int128_t __int128|",
	} {
		parts := strings.Split(names, "|")
		for i, encoding := range []btf.IntEncoding{btf.Unsigned, btf.Signed} {
			one := strings.Fields(parts[2*i])
			t := &btf.Int{Name: one[0], Size: size, Encoding: encoding}
			for _, name := range one {
				types[name] = t
			}
			for _, name := range strings.Split(parts[2*i+1], ",") {
				types[name], types[sortedWords(strings.Fields(name))] = t, t
			}
		}
	}
	delete(types, "")
	return types
}

func sortedWords(words []string) string {
	return strings.Join(slices.Sorted(slices.Values(words)), " ")
}

// typeNames are all the names a type can start with, for "did you mean".
func typeNames() []string {
	names := []string{"struct", "bytes"}
	for _, n := range named {
		names = append(names, n.name)
	}
	for name := range basic {
		names = append(names, name)
	}
	return names
}
