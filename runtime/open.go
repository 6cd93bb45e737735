package runtime

import (
	"context"
	"fmt"
	"os"
	"strings"

	"go.starlark.net/starlark"
)

// OpenFile opens a file. Of a pipe that waits for who has its other end, while ctx lasts.
func OpenFile(ctx context.Context, path string, mode int) (*os.File, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	type result struct {
		f   *os.File
		err error
	}
	opened := make(chan result, 1)
	go func() {
		f, err := os.OpenFile(path, mode, 0o666)
		opened <- result{f, err} // which nobody may take any more: then the file is closed when it is collected
	}()
	select {
	case r := <-opened:
		return r.f, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// UseFile gives a file to f, and closes it when f returns or ctx ends: nobody need wait for a pipe.
func UseFile(ctx context.Context, file *os.File, f func(*os.File) error) error {
	defer context.AfterFunc(ctx, func() { file.Close() })()
	err := f(file)
	if e := file.Close(); err == nil {
		err = e
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// checkPath refuses what the system would say of that an argument is invalid.
func checkPath(path string) error {
	if strings.ContainsRune(path, 0) {
		return fmt.Errorf("open %s: a path has no NUL", starlark.String(path))
	}
	return nil
}
