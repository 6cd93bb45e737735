package layout

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/scanner"
	"unicode/utf8"

	"github.com/cilium/ebpf/btf"
	"go.starlark.net/starlark"
)

// Parse compiles a type from its spelling, which is C's with short names for the integers: "u32", "char[16]",
// "struct { ipv4 saddr; be16 port; u8 proto; }". Structs, unions, enums and bit fields lie as C puts them, packed and
// aligned ones too; what a pointer points to does not matter. Beyond C, dimensions may stand before the name, as in
// "char[16] comm", bytes[N] are bytes that are no numbers, and a hint says what a number stands for: "ktime seen",
// "hex(u16) flags"; a name that C does not allow stands in quotes: u32 "a-b". Names without a body, as in "struct flow_key", are for a Host to find.
//
// The error names the column, and what was expected there.
func Parse(spelling string) (*Type, error) { return (*Host)(nil).Parse(spelling) }

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
	Hint     string // what may help; "" for nothing
}

// Detail is what the error says beside its text, for a script and for its report.
func (e *SyntaxError) Detail(name string) starlark.Value {
	if name == "hint" && e.Hint != "" {
		return starlark.String(e.Hint)
	}
	return nil
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("type %s, column %d: %s", strconv.Quote(cut(e.Spelling, 80)), e.Column, cut(e.Text, 500))
}

// cut leaves of a text at most so many bytes.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-3], "") + "..."
}

// parser reads a spelling, one method for each rule of the grammar.
type parser struct {
	host  *Host
	src   string
	toks  []token
	tok   token // the first of toks
	depth int
	// repeated is how many bytes of types stand for several fields, as the struct in "struct { ... } a, b, c;", so that
	// a short text does not make a type of very many fields.
	repeated int
	hint     string           // for the error
	align    map[btf.Type]int // of the structs and unions read so far; BTF does not say which are packed
}

func (h *Host) parse(spelling string) (_ btf.Type, err error) {
	if len(spelling) > maxSpelling {
		return nil, fmt.Errorf("a type of %d bytes is too long (at most %d)", len(spelling), maxSpelling)
	}
	p := &parser{host: h, src: spelling, toks: scan(spelling), align: map[btf.Type]int{}}
	p.tok = p.toks[0]
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *SyntaxError:
			err = e
		default:
			panic(e)
		}
	}()
	t := p.wholeType()
	p.has(";")
	if p.tok.kind != scanner.EOF {
		p.fail("got %s after the type", p.tok)
	}
	return t, nil
}

// next goes on to the token behind. Behind the last one, which is the end, there is only itself.
func (p *parser) next() {
	p.tok = p.ahead()
	p.toks = p.toks[min(1, len(p.toks)-1):]
}

// ahead is the token behind this one.
func (p *parser) ahead() token { return p.toks[min(1, len(p.toks)-1)] }

func (p *parser) fail(format string, args ...any) { p.failAt(p.tok.at, format, args...) }

// failAt unwinds to parse. The grammar is a dozen mutually recursive methods, each of which may fail.
func (p *parser) failAt(offset int, format string, args ...any) {
	panic(&SyntaxError{p.src, 1 + utf8.RuneCountInString(p.src[:offset]), fmt.Sprintf(format, args...), p.hint})
}

// has takes the token if it is text.
func (p *parser) has(text string) bool {
	if p.tok.kind == scanner.EOF || p.tok.text != text {
		return false
	}
	p.next()
	return true
}

func (p *parser) expect(text string) {
	if !p.has(text) {
		p.fail("got %s, want %q", p.tok, text)
	}
}

func (p *parser) ident(what string) string {
	if p.tok.kind != scanner.Ident {
		p.fail("got %s, want %s", p.tok, what)
	}
	name := p.tok.text
	p.next()
	return name
}

// name reads the name of a field or a value, which may stand in quotes.
func (p *parser) name(what string) string {
	if p.tok.kind == scanner.String {
		if name, err := strconv.Unquote(p.tok.text); err == nil && name != "" {
			p.next()
			return name
		}
	}
	return p.ident(what)
}

// number reads an integer of at most limit; what says what it counts.
func (p *parser) number(what string, limit uint64) uint64 {
	if p.tok.kind != scanner.Int {
		p.fail("got %s, want %s", p.tok, what)
	}
	n, err := strconv.ParseUint(p.tok.text, 0, 64)
	switch {
	case errors.Is(err, strconv.ErrSyntax):
		p.fail("got %s, want %s", p.tok, what)
	case err != nil || n > limit:
		p.fail("%s is too large for %s", p.tok.text, what)
	}
	p.next()
	return n
}

// wholeType is a type alone, which may be a pointer or an array: u32[4].
func (p *parser) wholeType() btf.Type {
	at := p.tok.at
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
	switch u := t.(type) {
	case *btf.Void:
		p.failAt(at, "void is no type of a value; void * is a pointer")
	case *btf.Fwd:
		p.failAt(at, "%s is known without its fields; a pointer to it is a type", spell(u))
	}
	if t == bytesElem && len(dims) == 0 {
		p.failAt(at, "bytes needs a size, such as %s", example)
	}
}

// bytesElem is the element of bytes[N], which is no type alone.
var bytesElem btf.Type = &btf.Typedef{Name: "bytes", Type: uint8Type}

// baseType is a type without stars and dimensions.
func (p *parser) baseType() btf.Type {
	p.qualifiers()
	return p.unqualified()
}

func (p *parser) unqualified() btf.Type {
	if p.tok.kind != scanner.Ident {
		p.fail("got %s, want a type", p.tok)
	}
	name := p.tok.text
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
	if h := hintByName(name); h != nil {
		return p.hinted(h)
	}
	if t := namedBTF(name); t != nil {
		p.next()
		return t
	}
	return p.basicType()
}

// flexible are the dimensions of a field, which may be an array without a size: of none of its elements, as in C.
func (p *parser) flexible() []uint32 {
	if p.tok.text == "[" && p.ahead().text == "]" {
		p.next()
		p.next()
		return append([]uint32{0}, p.dimensions()...)
	}
	return p.dimensions()
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
