package builtins

import (
	"maps"
	"slices"
	"weak"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

// Library is the functions of this package on one engine, and the maps that scripts have open there.
type Library struct {
	engine   engine.Engine
	types    *layout.Host // names of types, and what numbers stand for
	objects  []*Object    // that scripts have loaded, the last behind the others
	display  Display
	operator *Operator // nil: nobody is there to be asked
	open     opened
	planned  *planned // nil: what scripts change is changed

	rankings    map[weak.Pointer[starlark.List]]*ranking // of the lists that top has made
	rankingsDue int                                      // how many there may be before those of lists that are gone go
}

// New makes the library of an engine. machine is what types may ask of the machine; nil: nothing.
func New(e engine.Engine, machine *layout.Host) *Library {
	if machine == nil {
		machine = &layout.Host{}
	}
	l := &Library{engine: e}
	l.types = machine.With(l.objectType, l.objectTypeNames)
	l.types.Printers = &layout.Printers{}
	return l
}

// functions are the rows of the predeclared functions.
func functions() []method.Row[*Library] {
	return slices.Concat(createFunctions, findFunctions, objectFunctions, typeFunctions, aggregateFunctions, topFunctions, eventsFunctions, showFunctions, printerFunctions, machineFunctions, snapshotFunctions, diffFunctions, applyFunctions, histFunctions, perCPUFunctions, watchFunctions, mapsFunctions)
}

// Predeclared are the names that scripts find: the functions, and the kernel's flags.
func (l *Library) Predeclared() starlark.StringDict {
	d := method.Functions(l, functions())
	maps.Copy(d, flags)
	return d
}

// Alias is what explains a word that no row has for a name: of the spelling of a type, typeof.
func Alias(word string) string {
	if layout.IsSpelling(word) {
		return "typeof"
	}
	return ""
}

// Topics are the rows, as help groups them.
func Topics() []method.Topic {
	return []method.Topic{
		{Name: "create", Doc: "Making maps.", Entries: method.Entries("function", createFunctions)},
		{Name: "find", Doc: "Finding and opening maps.", Entries: slices.Concat(method.Entries("function", findFunctions), method.Entries("function", mapsFunctions))},
		{Name: "object", Doc: "Objects that clang has made.", Entries: slices.Concat(
			method.Entries("function", objectFunctions), method.AttrEntries(objectAttrs), method.Entries("method", objectMethods),
			method.AttrEntries(declaredAttrs), method.Entries("method", declaredMethods))},
		{Name: "element", Doc: "One entry of a map.", Entries: method.Entries("method", elementMethods)},
		{Name: "trie", Doc: "Prefixes.", Entries: method.Entries("method", trieMethods)},
		{Name: "nested", Doc: "Maps of maps.", Entries: method.Entries("method", nestedMethods)},
		{Name: "queue", Doc: "Queues, stacks and bloom filters.", Entries: method.Entries("method", queueMethods)},
		{Name: "iterate", Doc: "All entries of a map, one by one.", Entries: method.Entries("method", iterateMethods)},
		{Name: "batch", Doc: "Many entries in one call of the kernel.", Entries: slices.Concat(
			method.Entries("method", batchMethods), method.AttrEntries(batchAttrs))},
		{Name: "events", Doc: "What programs send to user space.", Entries: slices.Concat(
			method.Entries("function", eventsFunctions), method.Entries("method", eventsMethods), method.AttrEntries(streamAttrs), method.Entries("method", streamMethods))},
		{Name: "snapshot", Doc: "What is in a map at one time.", Entries: slices.Concat(
			method.Entries("function", snapshotFunctions), method.Entries("method", snapshotMethods), method.AttrEntries(snapshotAttrs))},
		{Name: "diff", Doc: "What is in one map, or was in it, and not in another.", Entries: slices.Concat(
			method.Entries("function", diffFunctions), method.AttrEntries(diffAttrs))},
		{Name: "apply", Doc: "Making a map hold what it should.", Entries: slices.Concat(
			method.Entries("function", applyFunctions), method.AttrEntries(appliedAttrs))},
		{Name: "kernel", Doc: "The same operations, done by a program in the kernel.", Entries: slices.Concat(
			method.AttrEntries(kernelAttrs), method.Entries("method", kernelRows))},
		{Name: "lifecycle", Doc: "Freezing, pinning, closing.", Entries: method.Entries("method", lifecycleMethods)},
		{Name: "map", Doc: "What a map says about itself.", Entries: slices.Concat(method.AttrEntries(mapAttrs), method.AttrEntries(varsAttrs))},
		{Name: "types", Doc: "Types of keys and values.", Entries: slices.Concat(
			method.Entries("function", typeFunctions), layout.TypeEntries())},
		{Name: "record", Doc: "Structs that were read or made.", Entries: layout.RecordEntries()},
		{Name: "percpu", Doc: "Values of per-CPU maps.", Entries: layout.PerCPUEntries()},
		{Name: "error", Doc: "What catch gives for an error.", Entries: runtime.CaughtEntries()},
		{Name: "flags", Doc: "The kernel's flags, combined with |.", Entries: flagEntries()},
		{Name: "aggregate", Doc: "Adding up and comparing.", Entries: slices.Concat(method.Entries("function", aggregateFunctions), method.Entries("function", topFunctions))},
		{Name: "histogram", Doc: "How numbers are spread.", Entries: slices.Concat(
			method.Entries("function", histFunctions), method.AttrEntries(histogramAttrs), method.Entries("method", histogramMethods), method.Entries("method", partsMethods))},
		{Name: "skew", Doc: "How even the CPUs are.", Entries: slices.Concat(
			method.Entries("function", perCPUFunctions), method.AttrEntries(skewAttrs))},
		{Name: "show", Doc: "Looking at values.", Entries: slices.Concat(method.Entries("function", showFunctions), method.Entries("function", watchFunctions), method.Entries("function", printerFunctions))},
		{Name: "machine", Doc: "The machine that the maps are on.", Entries: method.Entries("function", machineFunctions)},
	}
}

// Close closes the maps that scripts have left open.
func (l *Library) Close() {
	for _, p := range l.open.maps {
		if m := p.Value(); m != nil {
			_ = m.release() // one that a script has closed says so
		}
	}
	l.open = opened{}
}

// Enter begins a script inside of another one: leave closes the maps that it has left open.
func (l *Library) Enter() (leave func()) {
	outer := l.open
	l.open = opened{}
	return func() {
		for _, p := range l.open.maps {
			if m := p.Value(); m != nil && !m.closed {
				_ = m.release()
			}
		}
		l.open = outer
	}
}
