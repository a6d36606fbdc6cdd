package house_test

import (
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The page of what always holds: its headings, the lines that name tests, the packages and
// tests on them, and the tests of a package's files.
var (
	invariant = regexp.MustCompile(`(?m)^## I(\d+)\. `)
	outside   = regexp.MustCompile("(?m)^- From outside: (.*)$")
	inside    = regexp.MustCompile("(?m)^- Inside: (.*)$")
	named     = regexp.MustCompile("`([^`]+)`")
	declared  = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(t \*testing\.T\)`)
)

const invariants = 40

// Each of the forty properties has a test of the built program and one of the package
// that keeps it, and every test that the page names is there.
func TestEveryInvariantHasItsTests(t *testing.T) {
	t.Parallel()
	page := read(t, "docs/invariants.md")
	at := invariant.FindAllStringSubmatchIndex(page, -1)
	if len(at) != invariants {
		t.Fatalf("the page has %d invariants, not %d", len(at), invariants)
	}
	known := testsOf(t)
	for i, here := range at {
		number := page[here[2]:here[3]]
		if number != strconv.Itoa(i+1) {
			t.Fatalf("after I%d comes I%s", i, number)
		}
		end := len(page)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		for line, pattern := range map[string]*regexp.Regexp{"from outside": outside, "inside": inside} {
			found := pattern.FindStringSubmatch(page[here[0]:end])
			if found == nil {
				t.Errorf("I%s names no test %s", number, line)
				continue
			}
			tests := namedTests(t, found[1], known)
			if tests == 0 {
				t.Errorf("I%s names no test %s", number, line)
			}
		}
	}
}

// namedTests counts the tests on a line, which must be of the package before them.
func namedTests(t *testing.T, line string, known map[string]bool) (n int) {
	t.Helper()
	folder := ""
	for _, word := range named.FindAllStringSubmatch(line, -1) {
		if !strings.HasPrefix(word[1], "Test") {
			folder = word[1]
			continue
		}
		n++
		if !known[folder+" "+word[1]] {
			t.Errorf("docs/invariants.md names %s of %s, which is not there", word[1], folder)
		}
	}
	return n
}

// testsOf are all tests of the repository, as their folder and name.
func testsOf(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(root, name)
		for _, test := range declared.FindAllSubmatch(text, -1) {
			known[path.Dir(name)+" "+string(test[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return known
}
