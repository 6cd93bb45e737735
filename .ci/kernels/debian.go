package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// cacheVariable names the directory that keeps kernel images.
const cacheVariable = "BPFSH_KERNEL_CACHE"

// keyring has the keys of Debian's releases, on every Debian.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// series says where Debian has a kernel. The names of packages change with each security update: what the metapackage
// wants is looked up anew each time, which costs a small index.
type series struct {
	name   string
	suites []suiteOfDebian // the newest kernel in any of them is taken
}

type suiteOfDebian struct {
	label string // of the archive: "Debian", or "Debian-Security"
	name  string
}

var allSeries = []series{
	{"5.10", []suiteOfDebian{{"Debian-Security", "bullseye-security"}}},
	{"6.1", []suiteOfDebian{{"Debian-Security", "bookworm-security"}}},
	{"6.12", []suiteOfDebian{{"Debian-Security", "trixie-security"}}},
	{"newest", []suiteOfDebian{{"Debian", "trixie-backports"}, {"Debian", "sid"}}},
}

func seriesNames() string {
	var names []string
	for _, s := range allSeries {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

func cacheDir() string {
	if dir := os.Getenv(cacheVariable); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "bpfsh-kernels")
}

// fetching is held while a kernel is looked up and fetched: apt locks its lists.
var fetching sync.Mutex

// kernelImage is the path of a kernel's image, which is downloaded if the cache has none.
func kernelImage(ctx context.Context, cache, name string) (string, error) {
	i := slices.IndexFunc(allSeries, func(s series) bool { return s.name == name })
	if i < 0 {
		if _, err := os.Stat(name); err != nil {
			return "", fmt.Errorf("no kernel %s: there are %s, or the path of an image", name, seriesNames())
		}
		return name, nil
	}
	fetching.Lock()
	defer fetching.Unlock()
	var best archive
	var bestPackage, bestRelease string
	for _, s := range allSeries[i].suites {
		a, err := newArchive(ctx, cache, s)
		if err != nil {
			return "", err
		}
		pkg, err := a.newestImage(ctx)
		if err != nil {
			return "", err
		}
		if release := strings.TrimPrefix(pkg, "linux-image-"); compareReleases(release, bestRelease) > 0 {
			best, bestPackage, bestRelease = a, pkg, release
		}
	}
	image := filepath.Join(cache, "vmlinuz-"+bestRelease)
	if _, err := os.Stat(image); err == nil {
		return image, nil
	}
	return image, best.fetch(ctx, bestPackage, image)
}

// archive is one suite of Debian, with lists of its own: the machine's configuration stays as it is.
type archive struct {
	dir   string
	suite suiteOfDebian
}

func newArchive(ctx context.Context, cache string, s suiteOfDebian) (archive, error) {
	cache, err := filepath.Abs(cache)
	if err != nil {
		return archive{}, err
	}
	a := archive{filepath.Join(cache, "apt", s.name), s}
	for _, dir := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(a.dir, dir), 0o755); err != nil {
			return a, err
		}
	}
	uri, err := mirror(ctx, s.label)
	if err != nil {
		return a, err
	}
	list := fmt.Sprintf("deb [arch=amd64 signed-by=%s] %s %s main\n", keyring, uri, s.name)
	if err := os.WriteFile(filepath.Join(a.dir, "sources.list"), []byte(list), 0o644); err != nil {
		return a, err
	}
	_, err = a.apt(ctx, "apt-get", "-q", "update", "-o", "APT::Update::Error-Mode=any")
	return a, err
}

// mirror is where the machine itself gets the packages of an archive.
func mirror(ctx context.Context, label string) (string, error) {
	out, err := output(exec.CommandContext(ctx, "apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian", "Label: "+label))
	if err != nil {
		return "", err
	}
	uri, _, _ := strings.Cut(strings.TrimSpace(out), "\n")
	if uri == "" {
		return "", fmt.Errorf("apt knows of no archive %s: run apt-get update, or give the path of a kernel image", label)
	}
	return uri, nil
}

// apt runs one of apt's commands on this suite alone.
func (a archive) apt(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, append(args,
		"-o", "Dir::Etc::SourceList="+filepath.Join(a.dir, "sources.list"),
		"-o", "Dir::Etc::SourceParts=/dev/null",
		"-o", "Dir::State::Lists="+filepath.Join(a.dir, "lists"),
		"-o", "Dir::Cache="+filepath.Join(a.dir, "cache"),
		"-o", "APT::Sandbox::User=root", // the cache need not be everybody's
	)...)
	cmd.Dir = a.dir
	return output(cmd)
}

// newestImage is the package of the image that the suite's metapackage wants.
func (a archive) newestImage(ctx context.Context) (string, error) {
	const meta = "linux-image-cloud-amd64"
	return a.dependency(ctx, meta, "linux-image-")
}

// dependency is the package whose name has a prefix, of those that another wants.
func (a archive) dependency(ctx context.Context, pkg, prefix string) (string, error) {
	out, err := a.apt(ctx, "apt-cache", "depends", "--important", pkg)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(out) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "Depends: "); ok && strings.HasPrefix(name, prefix) {
			return name, nil
		}
	}
	return "", fmt.Errorf("%s of %s wants no %s", pkg, a.suite.name, prefix)
}

// fetch downloads the kernel image of a package. Since Linux 6.19 another package that it wants has it.
func (a archive) fetch(ctx context.Context, pkg, image string) error {
	for range 2 {
		if _, err := a.apt(ctx, "apt-get", "-q", "download", pkg); err != nil {
			return err
		}
		debs, err := filepath.Glob(filepath.Join(a.dir, pkg+"_*.deb"))
		if err != nil || len(debs) != 1 {
			return fmt.Errorf("%s was downloaded as %q", pkg, debs)
		}
		defer os.Remove(debs[0])
		dir, err := os.MkdirTemp(a.dir, "unpacked")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if _, err := output(exec.CommandContext(ctx, "dpkg-deb", "-x", debs[0], dir)); err != nil {
			return err
		}
		if found := imageIn(dir); found != "" {
			return os.Rename(found, image)
		}
		if pkg, err = a.dependency(ctx, pkg, "linux-binary-"); err != nil {
			return err
		}
	}
	return errors.New(pkg + " has no kernel image")
}

// imageIn is the kernel image under a directory; "" for none.
func imageIn(dir string) (found string) {
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.HasPrefix(d.Name(), "vmlinuz") {
			found = path
		}
		return nil
	})
	return found
}

// compareReleases orders kernel releases by their numbers: 6.9 comes before 6.12.
func compareReleases(a, b string) int {
	return slices.Compare(releaseNumbers(a), releaseNumbers(b))
}

// releaseNumbers are the numbers that begin a release, of which there are at most three.
func releaseNumbers(release string) (numbers []int) {
	for _, part := range strings.SplitN(release, ".", 3) {
		var n int
		if _, err := fmt.Sscanf(part, "%d", &n); err != nil {
			break
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// output runs a command, and gives what it prints. An error has what it says.
func output(cmd *exec.Cmd) (string, error) {
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, cmp.Or(said.String(), out.String()))
	}
	return out.String(), nil
}
