// Package house holds the rules of the house that no compiler checks: which package
// may import which. ARCHITECTURE.md has a table that gives every package a rank; the
// test of this package reads that table and the Go files themselves, and names every
// package without a line, every line without a package, and every import that points
// up or sideways.
//
// It reads the files, and does not ask the go command, because the answer of another
// program is nothing that the test cache knows of: it would go stale.
package house

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Outside is the rank of what stands outside the order, written "–" in the table:
// programs and black-box tests. They may import everything; nothing ranked imports
// them.
const Outside = -1

// Package is one folder with Go files in it.
type Package struct {
	// Folder is its place below the module's root, with slashes.
	Folder string
	// Imports are the packages of the same module that its files name.
	Imports []Import
}

// Import is one file's import of one package of the module.
type Import struct {
	// File is where it stands, below the module's root, and Line its line.
	File string
	Line int
	// Folder is the package that is imported, below the module's root.
	Folder string
}

// Ranks reads the table: the rows of the one whose first two columns are headed
// "rank" and "package". The package is its folder in backquotes.
func Ranks(markdown string) (map[string]int, error) {
	ranks := map[string]int{}
	inside := false
	for line := range strings.Lines(markdown) {
		cells := row(line)
		switch {
		case len(cells) < 2:
			inside = false
		case cells[0] == "rank" && cells[1] == "package":
			inside = true
		case !inside || strings.Trim(cells[0], "-:") == "":
			continue
		default:
			folder := strings.Trim(cells[1], "`")
			rank, err := rankOf(cells[0])
			if err != nil {
				return nil, fmt.Errorf("the line of %s: %w", folder, err)
			}
			if _, twice := ranks[folder]; twice {
				return nil, fmt.Errorf("%s has two lines", folder)
			}
			ranks[folder] = rank
		}
	}
	if len(ranks) == 0 {
		return nil, errors.New("there is no table of ranks")
	}
	return ranks, nil
}

// row gives the cells of a table's line, and nothing for any other line.
func row(line string) []string {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "|") {
		return nil
	}
	cells := strings.Split(strings.Trim(line, "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

func rankOf(cell string) (int, error) {
	if cell == "–" {
		return Outside, nil
	}
	rank, err := strconv.Atoi(cell)
	if err != nil || rank < 0 {
		return 0, fmt.Errorf("the rank %q is neither a number from 0 up nor –", cell)
	}
	return rank, nil
}

// Read finds the packages of a module's tree, in the order of their folders. Folders
// that the go command passes over are passed over.
func Read(tree fs.FS) ([]Package, error) {
	module, err := moduleOf(tree)
	if err != nil {
		return nil, err
	}
	found := map[string]*Package{}
	err = fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if passedOver(name) {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		imports, err := importsOf(tree, name, module)
		if err != nil {
			return err
		}
		folder := path.Dir(name)
		if found[folder] == nil {
			found[folder] = &Package{Folder: folder}
		}
		found[folder].Imports = append(found[folder].Imports, imports...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the tree: %w", err)
	}
	packages := make([]Package, 0, len(found))
	for _, p := range found {
		packages = append(packages, *p)
	}
	slices.SortFunc(packages, func(a, b Package) int { return strings.Compare(a.Folder, b.Folder) })
	return packages, nil
}

func passedOver(folder string) bool {
	base := path.Base(folder)
	return folder != "." && (base == "testdata" || base == "vendor" || base[0] == '.' || base[0] == '_')
}

func moduleOf(tree fs.FS) (string, error) {
	mod, err := fs.ReadFile(tree, "go.mod")
	if err != nil {
		return "", fmt.Errorf("reading the module's name: %w", err)
	}
	for line := range strings.Lines(string(mod)) {
		if name, is := strings.CutPrefix(line, "module "); is {
			return strings.TrimSpace(name), nil
		}
	}
	return "", errors.New("go.mod names no module")
}

func importsOf(tree fs.FS, name, module string) ([]Import, error) {
	source, err := fs.ReadFile(tree, name)
	if err != nil {
		return nil, err
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var imports []Import
	for _, spec := range file.Imports {
		what, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if folder, ours := strings.CutPrefix(what, module+"/"); ours {
			imports = append(imports, Import{File: name, Line: files.Position(spec.Pos()).Line, Folder: folder})
		}
	}
	return imports, nil
}
