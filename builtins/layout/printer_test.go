package layout

import (
	"testing"

	"go.starlark.net/starlark"
)

// TestPrinterOfCPUs asks a type's printer for the value of each CPU.
func TestPrinterOfCPUs(t *testing.T) {
	host := &Host{Printers: &Printers{}}
	typ, err := host.Parse("u64")
	if err != nil {
		t.Fatal(err)
	}
	host.Printers.Set("u64", func(v starlark.Value) string { return "<" + v.String() + ">" })
	slot := Slot{Type: typ, CPUs: 2}
	values := slot.Decode(make([]byte, 16)).(*PerCPU)
	if got, want := values.Shown().String(), "percpu(<0>, <0>)"; got != want {
		t.Errorf("people see %s, want %s", got, want)
	}
}
