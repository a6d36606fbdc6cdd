package main

import (
	"bytes"
	"os"
	"testing"
)

func TestTheTypedKeysAreThoseOfTheCatalogue(t *testing.T) {
	t.Parallel()
	catalogue, err := os.ReadFile("../en-AU.json")
	if err != nil {
		t.Fatal(err)
	}
	want, err := keys(catalogue)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../keys.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("keys.go is older than en-AU.json: run go generate ./internal/locale")
	}
}

func TestTwoKeysOfOneNameAreRefused(t *testing.T) {
	t.Parallel()
	if _, err := keys([]byte(`{"a.b-c": "x", "a-b.c": "y"}`)); err == nil {
		t.Error("two keys that make one constant were accepted")
	}
}

func TestAKeyBecomesAName(t *testing.T) {
	t.Parallel()
	if got := camel("code.sent-to"); got != "CodeSentTo" {
		t.Errorf("got %s", got)
	}
}
