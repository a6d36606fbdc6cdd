// Package e2etest builds and runs the released program for the tests of folder e2e, which
// know the product only from outside: by its commands, its pages and its messages.
package e2etest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// BinaryVariable names the environment variable with the path of a built program to test
// instead of one that is built here.
const BinaryVariable = "KEYTURN_TEST_BINARY"

// Binary is the path of the program under test. It is built as it is released, without
// cgo, and once for the whole run.
func Binary(tb testing.TB) string {
	tb.Helper()
	path, err := binary()
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

var binary = sync.OnceValues(func() (string, error) {
	if given := os.Getenv(BinaryVariable); given != "" {
		return filepath.Abs(given)
	}
	return built("./cmd/keyturn")
})

// Workshop is the path of the example of a product, built once for the whole run.
func Workshop(tb testing.TB) string {
	tb.Helper()
	path, err := workshop()
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

var workshop = sync.OnceValues(func() (string, error) { return built("./examples/workshop") })

// built builds a program of the repository for this run.
func built(which string) (string, error) {
	root, err := findRoot()
	if err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp("", "keyturn-e2e-")
	if err != nil {
		return "", fmt.Errorf("make a folder for the program: %w", err)
	}
	atEnd(func() error { return os.RemoveAll(folder) })
	path := filepath.Join(folder, filepath.Base(which))
	// The run outlives each single test, so no test's context may end the build.
	build := exec.Command("go", "build", "-trimpath", "-o", path, which)
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, said)
	}
	return path, nil
}

// Root is the folder of the repository.
func Root(tb testing.TB) string {
	tb.Helper()
	root, err := findRoot()
	if err != nil {
		tb.Fatal(err)
	}
	return root
}

// findRoot goes up from the working folder to the one with go.mod.
func findRoot() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
		above := filepath.Dir(folder)
		if above == folder {
			return "", fmt.Errorf("find the repository: no go.mod here or above")
		}
		folder = above
	}
}

// Missing ends a test for want of something that it needs: it is skipped, or fails under
// KEYTURN_TEST_REQUIRE=all.
func Missing(tb testing.TB, what string) {
	tb.Helper()
	if os.Getenv("KEYTURN_TEST_REQUIRE") == "all" {
		tb.Fatal(what + ", and KEYTURN_TEST_REQUIRE=all demands it")
	}
	tb.Skip(what)
}
