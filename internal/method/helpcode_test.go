package method_test

import (
	"regexp"
	"strings"
	"testing"

	"keyturn/internal/method"
)

func TestAHelpCodeIsThreeGroupsOfThreeAndReadsBack(t *testing.T) {
	t.Parallel()
	shape := regexp.MustCompile(`^[234679ACDEFGHJKMNPQRTUVWXYZ]{3}(-[234679ACDEFGHJKMNPQRTUVWXYZ]{3}){2}$`)
	seen := map[string]bool{}
	for range 2000 {
		shown := method.NewHelpCode()
		if !shape.MatchString(shown) || seen[shown] {
			t.Fatalf("%q is made, or made again", shown)
		}
		seen[shown] = true
		want := strings.ReplaceAll(shown, "-", "")
		for _, typed := range []string{shown, want, strings.ToLower(shown), " " + strings.ReplaceAll(shown, "-", "  ") + " "} {
			if got, ok := method.ReadHelpCode(typed); !ok || got != want {
				t.Fatalf("%q is read as %q", typed, got)
			}
		}
	}
	for _, typed := range []string{"", "ACD-EFG-HJ", "ACD-EFG-HJKM", "ACD-EFG-HJ0", "ACD-EFG-HJB", "ACD.EFG.HJK", "ＡCDEFGHJK"} {
		if _, ok := method.ReadHelpCode(typed); ok {
			t.Errorf("%q is read", typed)
		}
	}
}

// Of 27 letters at 9 places each is as likely as any other. With 26 degrees of freedom χ²
// passes 90 by chance once in 10^8 runs; letters chosen by the rest of a byte's division
// would bring it to thousands.
func TestNoLetterOfAHelpCodeIsMoreLikelyThanAnother(t *testing.T) {
	t.Parallel()
	const codes = 30_000
	var counts [9]map[rune]int
	for i := range counts {
		counts[i] = map[rune]int{}
	}
	for range codes {
		code, ok := method.ReadHelpCode(method.NewHelpCode())
		if !ok {
			t.Fatal("a code is not read back")
		}
		for i, r := range code {
			counts[i][r]++
		}
	}
	expected := float64(codes) / 27
	for place, of := range counts {
		chi := 0.0
		for _, r := range "234679ACDEFGHJKMNPQRTUVWXYZ" {
			off := float64(of[r]) - expected
			chi += off * off / expected
		}
		if chi > 90 {
			t.Errorf("at place %d χ² is %.0f", place, chi)
		}
	}
}
