package house

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Judge names everything that breaks the order, one sentence each, and nothing where
// all is well.
//
//   - Every package has a line in the table, and every line a package.
//   - A product file imports lower ranks only, and no test helper.
//   - A test helper (a folder named …test, and what is below it) imports its own rank
//     and lower.
//   - A _test.go file imports its own rank and lower, and test helpers of any rank.
//   - What stands outside imports what it likes; only the outside imports it.
func Judge(ranks map[string]int, packages []Package) []string {
	var wrong []string
	there := map[string]bool{}
	for _, p := range packages {
		there[p.Folder] = true
	}
	for _, folder := range slices.Sorted(maps.Keys(ranks)) {
		if !there[folder] {
			wrong = append(wrong, folder+" has a line in the table, but no Go files")
		}
	}
	for _, p := range packages {
		rank, known := ranks[p.Folder]
		if !known {
			wrong = append(wrong, p.Folder+" has no line in the table")
			continue
		}
		for _, i := range p.Imports {
			target, known := ranks[i.Folder]
			if !known {
				// The other package's missing line is named above.
				continue
			}
			if why := objection(p.Folder, rank, i, target); why != "" {
				wrong = append(wrong, fmt.Sprintf("%s:%d: %s (rank %s) imports %s (rank %s): %s",
					i.File, i.Line, p.Folder, name(rank), i.Folder, name(target), why))
			}
		}
	}
	return wrong
}

// objection says why a package must not import another, or nothing.
func objection(folder string, rank int, i Import, target int) string {
	testing := strings.HasSuffix(i.File, "_test.go")
	switch {
	case rank == Outside:
		return ""
	case target == Outside:
		return "nothing ranked imports what stands outside"
	case testing && helper(i.Folder):
		return ""
	case helper(i.Folder) && !helper(folder):
		return "test helpers are for tests"
	case target > rank:
		return "imports point down, this one points up"
	case target == rank && !testing && !helper(folder):
		return "imports point down, this one points sideways"
	}
	return ""
}

// helper says whether a folder holds help for tests: it, or one above it, is named …test.
func helper(folder string) bool {
	return slices.ContainsFunc(strings.Split(folder, "/"), func(part string) bool {
		return strings.HasSuffix(part, "test")
	})
}

func name(rank int) string {
	if rank == Outside {
		return "–"
	}
	return fmt.Sprint(rank)
}
