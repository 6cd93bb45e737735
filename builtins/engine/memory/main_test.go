package memory_test

import (
	"os"
	"testing"

	"bpfsh/builtins/engine/kernel/kerneltest"
)

func TestMain(m *testing.M) { os.Exit(kerneltest.Main(m)) }
