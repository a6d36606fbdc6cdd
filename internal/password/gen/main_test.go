package main

import "testing"

func TestTheListHoldsEachLongPasswordOnceAsItIsCompared(t *testing.T) {
	t.Parallel()
	got := lines([]string{"short", "Sunshine", "sunshine", "ＡＢＣＤＥＦＧＨ", "with\nbreak", "baseball"})
	if want := "abcdefgh\nbaseball\nsunshine\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
