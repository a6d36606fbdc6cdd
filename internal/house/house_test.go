package house_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"keyturn/internal/house"
)

// root is the repository, seen from this folder.
var root = os.DirFS("../..")

func TestEveryImportOfTheRepositoryPointsDown(t *testing.T) {
	t.Parallel()
	ranks, err := house.Ranks(read(t, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal("ARCHITECTURE.md:", err)
	}
	packages, err := house.Read(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range house.Judge(ranks, packages) {
		t.Error(wrong)
	}
}

// The order as it should be; each row of the test below adds or breaks one thing.
const table = `
| rank | package | what lives there |
|---|---|---|
| 0 | ` + "`low`" + ` | |
| 1 | ` + "`mid`" + ` | |
| 1 | ` + "`beside`" + ` | |
| 1 | ` + "`mid/midtest`" + ` | |
| 2 | ` + "`high`" + ` | |
| 2 | ` + "`high/hightest`" + ` | |
| – | ` + "`cmd/it`" + ` | |
`

func sound() fstest.MapFS {
	return fstest.MapFS{
		"go.mod":                      file("module it\n"),
		"low/low.go":                  source("low"),
		"mid/mid.go":                  source("mid", "it/low", "fmt"),
		"mid/mid_test.go":             source("mid_test", "it/mid", "it/beside", "it/mid/midtest"),
		"beside/beside.go":            source("beside", "it/low"),
		"mid/midtest/midtest.go":      source("midtest", "it/mid", "testing"),
		"high/high.go":                source("high", "it/mid", "it/low"),
		"high/hightest/help.go":       source("hightest", "it/high", "it/mid/midtest"),
		"cmd/it/main.go":              source("main", "it/high"),
		"low/testdata/broken/file.go": file("this is not Go"),
		".tools/tool.go":              source("tool", "it/high"),
	}
}

func TestTheJudgeNamesWhatBreaksTheOrder(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		table string
		add   map[string]*fstest.MapFile
		lose  string
		want  []string
	}{
		"a sound house": {},
		"a product file points up": {
			add:  fstest.MapFS{"low/up.go": source("low", "it/high")},
			want: []string{"low/up.go:3: low (rank 0) imports high (rank 2): imports point down, this one points up"},
		},
		"a product file points sideways": {
			add:  fstest.MapFS{"mid/side.go": source("mid", "it/beside")},
			want: []string{"mid/side.go:3: mid (rank 1) imports beside (rank 1): imports point down, this one points sideways"},
		},
		"a test points up": {
			add:  fstest.MapFS{"low/low_test.go": source("low_test", "it/mid")},
			want: []string{"low/low_test.go:3: low (rank 0) imports mid (rank 1): imports point down, this one points up"},
		},
		"a test takes help from above": {
			add: fstest.MapFS{"low/low_test.go": source("low_test", "it/high/hightest")},
		},
		"a helper points up": {
			add:  fstest.MapFS{"mid/midtest/up.go": source("midtest", "it/high")},
			want: []string{"mid/midtest/up.go:3: mid/midtest (rank 1) imports high (rank 2): imports point down, this one points up"},
		},
		"the product leans on a test helper": {
			add:  fstest.MapFS{"high/lean.go": source("high", "it/mid/midtest")},
			want: []string{"high/lean.go:3: high (rank 2) imports mid/midtest (rank 1): test helpers are for tests"},
		},
		"the product imports a program": {
			add:  fstest.MapFS{"high/out.go": source("high", "it/cmd/it")},
			want: []string{"high/out.go:3: high (rank 2) imports cmd/it (rank –): nothing ranked imports what stands outside"},
		},
		"a package without a line": {
			add:  fstest.MapFS{"new/new.go": source("new", "it/high")},
			want: []string{"new has no line in the table"},
		},
		"a package of tests alone without a line": {
			add:  fstest.MapFS{"new/new_test.go": source("new", "testing")},
			want: []string{"new has no line in the table"},
		},
		"a line without a package": {
			lose: "beside/beside.go",
			want: []string{"beside has a line in the table, but no Go files"},
		},
		"a file for another system counts too": {
			add:  fstest.MapFS{"low/up_windows.go": file("//go:build windows\n\npackage low\n\nimport \"it/high\"\n")},
			want: []string{"low/up_windows.go:5: low (rank 0) imports high (rank 2): imports point down, this one points up"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tree := sound()
			maps.Copy(tree, row.add)
			delete(tree, row.lose)
			ranks, err := house.Ranks(table)
			if err != nil {
				t.Fatal(err)
			}
			packages, err := house.Read(tree)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, house.Judge(ranks, packages)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestATableThatCannotBeReadIsNotAnEmptyOne(t *testing.T) {
	t.Parallel()
	for name, markdown := range map[string]string{
		"no table":                   "# Architecture\n",
		"another table":              "| word | means |\n|---|---|\n| 0 | `low` |\n",
		"a rank that is no number":   "| rank | package |\n|---|---|\n| high | `low` |\n",
		"a rank below the lowest":    "| rank | package |\n|---|---|\n| -1 | `low` |\n",
		"one package with two lines": "| rank | package |\n|---|---|\n| 0 | `low` |\n| 1 | `low` |\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if ranks, err := house.Ranks(markdown); err == nil {
				t.Errorf("read as %v", ranks)
			}
		})
	}
}

func TestAFileThatIsNotGoIsNotPassedOver(t *testing.T) {
	t.Parallel()
	tree := sound()
	tree["low/torn.go"] = file("pack")
	if _, err := house.Read(tree); err == nil {
		t.Error("the torn file was not noticed")
	}
}

func TestEveryDecisionIsInTheIndex(t *testing.T) {
	t.Parallel()
	index := read(t, "docs/adr/README.md")
	records, err := fs.Glob(root, "docs/adr/[0-9]*.md")
	if err != nil || len(records) == 0 {
		t.Fatal("no decision found:", err)
	}
	for _, record := range records {
		if !strings.Contains(index, "("+path.Base(record)+")") {
			t.Errorf("docs/adr/README.md does not link %s", record)
		}
	}
}

// links finds the targets of a page's links that lead to a file of the repository.
var links = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)

func TestEveryLinkOfThePagesLeadsToAFile(t *testing.T) {
	t.Parallel()
	pages, err := fs.Glob(root, "*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"docs/*.md", "docs/adr/*.md"} {
		more, err := fs.Glob(root, pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, more...)
	}
	followed := 0
	for _, page := range pages {
		for _, link := range links.FindAllStringSubmatch(read(t, page), -1) {
			followed++
			if _, err := fs.Stat(root, path.Join(path.Dir(page), link[1])); err != nil {
				t.Errorf("%s leads nowhere: %v", page, err)
			}
		}
	}
	if followed == 0 {
		t.Error("not one link was followed")
	}
}

// A migration with a text for each engine is an exception to the one text for both,
// and has its reason written down.
func TestEveryTwinMigrationHasItsReason(t *testing.T) {
	t.Parallel()
	reasons := read(t, "docs/adr/0001-one-sql-text.md")
	twins, err := fs.Glob(root, "internal/db/migrations/*.*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, twin := range twins {
		step, _, _ := strings.Cut(path.Base(twin), ".")
		if !strings.Contains(reasons, "`"+step+"`") {
			t.Errorf("docs/adr/0001-one-sql-text.md does not say why %s differs by engine", step)
		}
		for _, engine := range []string{"sqlite", "postgres"} {
			want := path.Join(path.Dir(twin), step+"."+engine+".sql")
			if !slices.Contains(twins, want) {
				t.Errorf("%s has no twin %s", twin, want)
			}
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := fs.ReadFile(root, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

// source is a Go file whose first import stands on line 3.
func source(name string, imports ...string) *fstest.MapFile {
	var text strings.Builder
	fmt.Fprintf(&text, "package %s\n\n", name)
	for _, what := range imports {
		fmt.Fprintf(&text, "import _ %q\n", what)
	}
	return file(text.String())
}
