package configs

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Bounds on what is read: a glob that matches a folder of something else, or a
// link to a device, must end in a message and not in the machine's memory.
const (
	maxFiles = 1000
	maxFile  = 10 << 20
	maxBytes = 64 << 20
)

// tree is where configuration files are read from.
type tree interface {
	// read returns a regular file of at most maxFile bytes.
	read(name string) ([]byte, error)
	// glob returns the files that match, sorted.
	glob(pattern string) ([]string, error)
	// show is how a file is named in messages.
	show(name string) string
}

var errTooLarge = fmt.Errorf("larger than %d MiB", maxFile>>20)

// disk is the file system.
type disk struct{}

func (disk) read(name string) ([]byte, error) {
	// A FIFO without a writer would block the open for ever.
	st, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAtMost(f)
}

func (disk) glob(pattern string) ([]string, error) {
	names, err := filepath.Glob(pattern)
	slices.Sort(names)
	return names, err
}

func (disk) show(name string) string { return name }

// defaultFiles are the files beside this one, which hold where there are no
// others. They lie in a folder of this name as seen from the working directory,
// so that ../data in them is data/ there.
//
//go:embed newswatch.yaml feeds.yaml subscribers.yaml rules/*.yaml
var defaultFiles embed.FS

const (
	defaultFolder = "configs"
	defaultMain   = defaultFolder + "/newswatch.yaml"
	defaultMark   = "embedded:"
)

// embedded is the default files.
type embedded struct{}

func (embedded) read(name string) ([]byte, error) {
	f, err := defaultFiles.Open(strings.TrimPrefix(filepath.ToSlash(name), defaultFolder+"/"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAtMost(f)
}

func (embedded) glob(pattern string) ([]string, error) {
	names, err := fs.Glob(defaultFiles, strings.TrimPrefix(filepath.ToSlash(pattern), defaultFolder+"/"))
	slices.Sort(names)
	for i := range names {
		names[i] = path.Join(defaultFolder, names[i])
	}
	return names, err
}

func (embedded) show(name string) string {
	return defaultMark + strings.TrimPrefix(filepath.ToSlash(name), defaultFolder+"/")
}

func readAtMost(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = errTooLarge
	}
	return data, err
}
