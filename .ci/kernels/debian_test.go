package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCompareReleases(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"6.9", "6.12", -1}, {"6.12.118+deb13-cloud-amd64", "6.12", 1}, {"7.3.4", "7.2.13", 1}, {"6.1.0-56-cloud-amd64", "6.1", 1},
		{"6.1", "6.1", 0}, {"6.1.0", "", 1}, {"5.10.0-46", "5.11", -1},
	} {
		if got := compareReleases(c.a, c.b); got != c.want {
			t.Errorf("compareReleases(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestKernelImage(t *testing.T) {
	image := filepath.Join(t.TempDir(), "vmlinuz-own")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := kernelImage(t.Context(), t.TempDir(), image); got != image || err != nil {
		t.Errorf("got %q, %v; want the image that was named", got, err)
	}
	if _, err := kernelImage(t.Context(), t.TempDir(), "4.19"); err == nil {
		t.Error("there is a kernel 4.19")
	}
}

func TestImageIn(t *testing.T) {
	dir := t.TempDir()
	if got := imageIn(dir); got != "" {
		t.Errorf("in an empty directory is %s", got)
	}
	for _, name := range []string{"boot/config-7.3", "usr/lib/modules/7.3/vmlinuz"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := imageIn(dir), filepath.Join(dir, "usr/lib/modules/7.3/vmlinuz"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
