package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// prefix begins the name of each setting.
	prefix = "KEYTURN_"
	// testPrefix begins the names that are the test suite's own.
	testPrefix = prefix + "TEST_"
	// fileSuffix ends the name of a secret whose value is in a file.
	fileSuffix = "_FILE"
	// mostFile bounds the configuration file and the file of a secret, in bytes.
	mostFile = 64 << 10
)

// value is what a source says under one name.
type value struct {
	text string
	place
	folder string // where relative paths begin; empty is the process's own folder
}

// source is one of flags, environment and file.
type source map[string]value

// put adds a value to a source, unless its name is unknown or there already.
func (r *report) put(to source, v value) {
	if !known(v.name) {
		r.unknown(v.place)
		return
	}
	if _, twice := to[v.name]; twice {
		r.add(v.place, "is given twice; keep one", "")
		return
	}
	if v.text == "" {
		r.add(v.place, "is empty; give it a value or leave it out", exampleOf(v.name))
	}
	to[v.name] = v
}

func (r *report) fromFlags(flags map[string]string) source {
	found := source{}
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		r.put(found, value{text: flags[name], place: place{name, "command line"}})
	}
	return found
}

func (r *report) fromEnviron(environ []string) source {
	found := source{}
	for _, one := range environ {
		name, text, _ := strings.Cut(one, "=")
		if strings.HasPrefix(name, prefix) && !strings.HasPrefix(name, testPrefix) {
			r.put(found, value{text: text, place: place{name, "environment"}})
		}
	}
	return found
}

func (r *report) fromFile(path string) source {
	found := source{}
	if path == "" {
		return found
	}
	raw, err := readFile(path)
	if err != nil {
		r.add(place{name: "the configuration file " + path}, err.Error(), "")
		return found
	}
	entries, wrong := parseFile(raw)
	for _, w := range wrong {
		r.add(place{name: fmt.Sprintf("line %d of %s", w.line, path)}, w.says, "")
	}
	for _, e := range entries {
		r.put(found, value{
			text:   e.value,
			place:  place{e.name, fmt.Sprintf("line %d of %s", e.line, path)},
			folder: filepath.Dir(path),
		})
	}
	return found
}

// pick is the value of a setting: that of the first source that has one. The value of a
// secret may be in a file that the source names.
func (r *report) pick(s setting, from []source) (value, bool) {
	for _, one := range from {
		direct, here := one[s.name]
		named, there := one[s.name+fileSuffix]
		switch {
		case here && there && s.secret:
			r.add(direct.place, "and "+named.name+" are both given; keep one", "")
			return value{}, false
		case here:
			return direct, direct.text != ""
		case there && s.secret:
			return r.fromSecretFile(named)
		}
	}
	return value{}, false
}

// fromSecretFile reads the value of a secret from the file that named names. One line
// break at the end is no part of it.
func (r *report) fromSecretFile(named value) (value, bool) {
	if named.text == "" {
		return value{}, false // said already
	}
	path := named.text
	if named.folder != "" && !filepath.IsAbs(path) {
		path = filepath.Join(named.folder, path)
	}
	text, err := readFile(path)
	if err != nil {
		r.add(named.place, "names a file that cannot be used: it "+err.Error(), "/run/secrets/name")
		return value{}, false
	}
	text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	if text == "" {
		r.add(named.place, "names a file that is empty", "")
		return value{}, false
	}
	return value{text: text, place: named.place}, true
}

// The sentences about files repeat nothing of what is in them.
var (
	errMissing  = errors.New("is not there")
	errUnread   = errors.New("cannot be read by the user that this program runs as")
	errLarge    = errors.New("is larger than 64 KiB")
	errNotAFile = errors.New("is not a file")
)

func readFile(path string) (string, error) {
	f, err := os.Open(filepath.Clean(path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", errMissing
	case err != nil:
		return "", errUnread
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || info.IsDir() {
		return "", errNotAFile
	}
	raw, err := io.ReadAll(io.LimitReader(f, mostFile+1))
	switch {
	case err != nil:
		return "", errUnread
	case len(raw) > mostFile:
		return "", errLarge
	}
	return string(raw), nil
}
