// Command gen makes the list of breached passwords that nobody may choose.
//
//	npm pack @zxcvbn-ts/language-common@4.1.3
//	tar xzf zxcvbn-ts-language-common-4.1.3.tgz
//	go run ./gen package/src/passwords.json breached.txt
//
// The source is the npm package @zxcvbn-ts/language-common, under the MIT licence (see
// NOTICE): passwords that were found in breaches, the most common first. It is run by hand
// when there is a better source, and never while building.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"keyturn/internal/password"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("want two arguments, the JSON list and the file to write, not %d", len(args))
	}
	raw, err := os.ReadFile(args[0]) //nolint:gosec // whoever runs it names the file
	if err != nil {
		return fmt.Errorf("reading the list: %w", err)
	}
	var all []string
	if err := json.Unmarshal(raw, &all); err != nil {
		return fmt.Errorf("reading the list: %w", err)
	}
	if err := os.WriteFile(args[1], []byte(lines(all)), 0o600); err != nil { //nolint:gosec // the caller names the file
		return fmt.Errorf("writing the list: %w", err)
	}
	return nil
}

// lines are the passwords that are long enough to be chosen at all, as they are compared,
// in the order of their bytes: they are looked up by halving.
func lines(all []string) string {
	var kept []string
	for _, one := range all {
		if folded := password.Fold(one); utf8.RuneCountInString(folded) >= password.Shortest && !strings.ContainsAny(folded, "\r\n") {
			kept = append(kept, folded)
		}
	}
	slices.Sort(kept)
	return strings.Join(slices.Compact(kept), "\n") + "\n"
}
