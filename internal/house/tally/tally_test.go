package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// suite writes a module with one test file and gives what tally says of it.
func suite(t *testing.T, test string, args ...string) (out string, code int) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":       "module suite\n\ngo 1.26\n",
		"some_test.go": "package suite\n\n" + test,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var said, complaints strings.Builder
	code = run(dir, append([]string{"-vet=off"}, args...), &said, &complaints)
	return said.String() + complaints.String(), code
}

func TestASuiteIsCountedAndItsFailuresAreShown(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		test string
		args []string
		code int
		see  []string
		miss []string
	}{
		"all pass": {
			test: `import "testing"
				func TestOne(t *testing.T) { t.Log("quiet") }
				func TestTwo(t *testing.T) { t.Run("a", func(*testing.T) {}); t.Run("b", func(*testing.T) {}) }`,
			see:  []string{"ok  \tsuite", "3 passed, 0 failed, 0 skipped"},
			miss: []string{"quiet"},
		},
		"one subtest fails": {
			test: `import "testing"
				func TestOne(t *testing.T) { t.Run("a", func(t *testing.T) { t.Error("so it is") }); t.Run("b", func(t *testing.T) { t.Log("quiet") }) }`,
			code: 1,
			see:  []string{"some_test.go:4: so it is", "--- FAIL: TestOne/a", "FAIL\tsuite", "1 passed, 1 failed, 0 skipped"},
			miss: []string{"quiet"},
		},
		"a test fails beside its subtests": {
			test: `import "testing"
				func TestOne(t *testing.T) { t.Run("a", func(*testing.T) {}); t.Error("after all") }`,
			code: 1,
			see:  []string{"after all", "1 passed, 1 failed, 0 skipped"},
		},
		"skipped tests say why": {
			test: `import "testing"
				func TestOne(t *testing.T) { t.Skip("no server: not here") }
				func TestTwo(t *testing.T) { t.Skip("no server: not here") }
				func TestThree(*testing.T) {}`,
			see: []string{"skipped 2: no server: not here", "1 passed, 0 failed, 2 skipped"},
		},
		"a package that does not build": {
			test: `import "testing"
				func TestOne(*testing.T) { missing() }`,
			code: 1,
			see:  []string{"undefined: missing", "[build failed]", "0 passed, 1 failed, 0 skipped"},
		},
		"a test that panics": {
			test: `import "testing"
				func TestOne(t *testing.T) { panic("out of the blue") }`,
			code: 1,
			see:  []string{"out of the blue", "0 passed, 1 failed, 0 skipped"},
		},
		"a package that leaves before its end": {
			test: `import ("testing"; "os"; "fmt")
				func TestMain(m *testing.M) { m.Run(); fmt.Println("leaving"); os.Exit(3) }
				func TestOne(*testing.T) {}`,
			code: 1,
			see:  []string{"leaving", "FAIL\tsuite", "1 passed, 1 failed, 0 skipped"},
		},
		"a test whose time runs out": {
			test: `import "testing"
				func TestOne(t *testing.T) { t.Log("so far"); select {} }`,
			args: []string{"-timeout", "100ms"},
			code: 1,
			see:  []string{"so far", "panic: test timed out", "0 passed, 1 failed, 0 skipped"},
		},
		"no test at all": {
			test: `import "testing"
				func TestOne(*testing.T) {}`,
			args: []string{"-run", "Nothing"},
			code: 1,
			see:  []string{"0 passed, 0 failed, 0 skipped", "nothing was shown"},
		},
		"a flag that go test does not know": {
			test: `import "testing"
				func TestOne(*testing.T) {}`,
			args: []string{"-nonsense"},
			code: 1,
			see:  []string{"-nonsense"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, code := suite(t, row.test, row.args...)
			if code != row.code {
				t.Errorf("exit code %d, not %d", code, row.code)
			}
			for _, words := range row.see {
				if !strings.Contains(out, words) {
					t.Errorf("%q is missing", words)
				}
			}
			for _, words := range row.miss {
				if strings.Contains(out, words) {
					t.Errorf("%q should not be there", words)
				}
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}

func TestALineThatIsNoEventIsPassedOn(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	count, err := Read(strings.NewReader("go: downloading something\n{\"Action\":\"pass\",\"Package\":\"p\",\"Test\":\"TestOne\"}\n{}"), &out)
	if err != nil || count != (Count{Passed: 1}) || out.String() != "go: downloading something\n{}" {
		t.Errorf("%v, %v, %q", count, err, out.String())
	}
}
