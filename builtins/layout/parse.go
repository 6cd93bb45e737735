package layout

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/scanner"
	"unicode/utf8"

	"github.com/cilium/ebpf/btf"
)

// Parse compiles a type from its spelling, which is C's with short names for the integers: "u32", "char[16]",
// "struct { ipv4 saddr; be16 port; u8 proto; }". Structs, unions, enums and bit fields lie as C puts them, packed
// ones too; what a pointer points to does not matter. Beyond C, dimensions may stand before the name, as in
// "char[16] comm", and bytes[N] are bytes that are no numbers.
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
	maxSpelling   = 64 << 10 // bytes; a type that needs more was not written by a person
	maxDepth      = 32       // structs within structs
	maxDimensions = 8
	maxSize       = 1 << 28 // bytes
)

// SyntaxError is a spelling that is not a type.
type SyntaxError struct {
	Spelling string
	Column   int // from 1, in characters
	Text     string
}

func (e *SyntaxError) Error() string {
	shown := e.Spelling
	if len(shown) > 80 {
		shown = strings.ToValidUTF8(shown[:77], "") + "…"
	}
	return fmt.Sprintf("type %s, column %d: %s", strconv.Quote(shown), e.Column, e.Text)
}

// parser reads a spelling, one method for each rule of the grammar.
type parser struct {
	src   string
	scan  scanner.Scanner
	tok   rune
	depth int
	// repeated is how many bytes of types stand for several fields, as the struct in "struct { … } a, b, c;", so that
	// a short text does not make a type of very many fields.
	repeated int
	align    map[btf.Type]int // of the structs and unions read so far; BTF does not say which are packed
}

func parse(spelling string) (_ btf.Type, err error) {
	if len(spelling) > maxSpelling {
		return nil, fmt.Errorf("a type of %d bytes is too long (at most %d)", len(spelling), maxSpelling)
	}
	p := &parser{src: spelling, align: map[btf.Type]int{}}
	p.scan.Init(strings.NewReader(spelling))
	p.scan.Mode = scanner.ScanIdents | scanner.ScanInts | scanner.ScanComments | scanner.SkipComments
	p.scan.IsIdentRune = isNameRune
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
	t := p.wholeType()
	if p.tok == ';' {
		p.next()
	}
	if p.tok != scanner.EOF {
		p.fail("got %s after the type", p.token())
	}
	return t, nil
}

// isNameRune is C's idea of a name, which is the kernel's for the names in BTF.
func isNameRune(r rune, i int) bool {
	return r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' && i > 0
}

func isName(s string) bool {
	for i, r := range s {
		if !isNameRune(r, i) {
			return false
		}
	}
	return s != ""
}

func (p *parser) next()        { p.tok = p.scan.Scan() }
func (p *parser) text() string { return p.scan.TokenText() }

// offset is where the token starts.
func (p *parser) offset() int {
	if p.tok == scanner.EOF {
		return len(p.src)
	}
	return min(p.scan.Position.Offset, len(p.src))
}

// token shows the token in an error.
func (p *parser) token() string {
	if p.tok == scanner.EOF {
		return "the end"
	}
	return strconv.Quote(p.text())
}

func (p *parser) fail(format string, args ...any) { p.failAt(p.offset(), format, args...) }

// failAt unwinds to parse. The grammar is a dozen mutually recursive methods, each of which may fail.
func (p *parser) failAt(offset int, format string, args ...any) {
	panic(&SyntaxError{p.src, 1 + utf8.RuneCountInString(p.src[:offset]), fmt.Sprintf(format, args...)})
}

// has takes the token if it is text.
func (p *parser) has(text string) bool {
	if p.tok == scanner.EOF || p.text() != text {
		return false
	}
	p.next()
	return true
}

func (p *parser) expect(text string) {
	if !p.has(text) {
		p.fail("got %s, want %q", p.token(), text)
	}
}

func (p *parser) ident(what string) string {
	if p.tok != scanner.Ident {
		p.fail("got %s, want %s", p.token(), what)
	}
	name := p.text()
	p.next()
	return name
}

// number reads an integer of at most limit; what says what it counts.
func (p *parser) number(what string, limit uint64) uint64 {
	if p.tok != scanner.Int {
		p.fail("got %s, want %s", p.token(), what)
	}
	n, err := strconv.ParseUint(p.text(), 0, 64)
	switch {
	case errors.Is(err, strconv.ErrSyntax):
		p.fail("got %s, want %s", p.token(), what)
	case err != nil || n > limit:
		p.fail("%s is too large for %s", p.text(), what)
	}
	p.next()
	return n
}

// wholeType is a type alone, which may be a pointer or an array: u32[4].
func (p *parser) wholeType() btf.Type {
	at := p.offset()
	t := p.pointers(p.baseType())
	dims := p.dimensions()
	p.checkComplete(at, t, dims, "bytes[6]")
	if c := compositeOf(t); c.word != "" && c.size == 0 && len(c.members) == 0 {
		p.fail("a %s without fields", c.word)
	}
	return p.array(t, dims)
}

// checkComplete refuses what is a type only with a star or a size behind it.
func (p *parser) checkComplete(at int, t btf.Type, dims []uint32, example string) {
	if _, ok := t.(*btf.Void); ok {
		p.failAt(at, "void is no type of a value; void * is a pointer")
	}
	if t == bytesElem && len(dims) == 0 {
		p.failAt(at, "bytes needs a size, such as %s", example)
	}
}

// bytesElem is the element of bytes[N], which is no type alone.
var bytesElem btf.Type = &btf.Typedef{Name: "bytes", Type: uint8Type}

// baseType is a type without stars and dimensions.
func (p *parser) baseType() btf.Type {
	for p.has("const") || p.has("volatile") {
	}
	if p.tok != scanner.Ident {
		p.fail("got %s, want a type", p.token())
	}
	name := p.text()
	switch name {
	case "struct", "union":
		return p.composite()
	case "enum":
		return p.enum()
	case "bytes":
		p.next()
		return bytesElem
	case "void":
		p.next()
		return &btf.Void{}
	}
	if t := namedBTF(name); t != nil {
		p.next()
		return t
	}
	return p.basicType()
}

// pointers makes t a pointer if stars follow. What it points to is not in the map, and does not matter.
func (p *parser) pointers(t btf.Type) btf.Type {
	for p.has("*") {
		t = &btf.Pointer{Target: &btf.Void{}}
	}
	return t
}

func (p *parser) dimensions() (dims []uint32) {
	for p.has("[") {
		if len(dims) == maxDimensions {
			p.fail("an array of more than %d dimensions", maxDimensions)
		}
		dims = append(dims, uint32(p.number("the number of elements", maxSize)))
		p.expect("]")
	}
	return dims
}

// array wraps t in its dimensions, the last one innermost. Elements without bytes count too: a value of very many of
// them would take memory all the same.
func (p *parser) array(t btf.Type, dims []uint32) btf.Type {
	size, err := btf.Sizeof(t)
	if err != nil {
		p.fail("%v", err)
	}
	size = max(size, 1)
	for i := len(dims) - 1; i >= 0; i-- {
		if size *= max(int(dims[i]), 1); size > maxSize {
			p.fail("a type of more than %d bytes is too large", maxSize)
		}
		t = arrayType(t, dims[i])
	}
	return t
}
