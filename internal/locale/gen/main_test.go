package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestTheTypedKeysAreThoseOfTheCatalogue(t *testing.T) {
	t.Parallel()
	made := filepath.Join(t.TempDir(), "keys.go")
	if err := run([]string{"../en-AU", made}); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Clean(made))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../keys.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("keys.go is older than the catalogue: run go generate ./internal/locale")
	}
}

func TestTwoKeysOfOneNameAreRefused(t *testing.T) {
	t.Parallel()
	if _, err := keys([]byte(`{"a.b-c": "x", "a-b.c": "y"}`)); err == nil {
		t.Error("two keys that make one constant were accepted")
	}
}

func TestAKeyInTwoFilesIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := keys([]byte(`{"a.b": "x"}`), []byte(`{"a.b": "y"}`)); err == nil {
		t.Error("one key of two files was accepted")
	}
}

func TestAKeyBecomesAName(t *testing.T) {
	t.Parallel()
	if got := camel("code.sent-to"); got != "CodeSentTo" {
		t.Errorf("got %s", got)
	}
}
