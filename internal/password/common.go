package password

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Shortest is the least number of characters of a new password. NIST 800-63B-4 section
// 3.1.1.2 has 8 where a second factor follows, and counts each code point as one.
const Shortest = 8

//go:embed common.txt
var stemsFile string

// stems are those of the passwords that are tried first, a few hundred.
var stems = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(stemsFile) {
		if word := strings.TrimSpace(line); word != "" && !strings.HasPrefix(word, "#") {
			all[word] = true
		}
	}
	return all
})

// breachedFile holds the passwords of Shortest characters and more that breaches have most
// of, folded, a line each, in the order of their bytes; gen makes it. There are 17,000 of
// them, where ASVS 6.2.4 asks for 3,000. It is looked up as it lies: no set is built of it,
// so it costs no time at the start and no memory.
//
//go:embed breached.txt
var breachedFile string

// Breached says that a password, as it is folded, is in the list of those that were found
// in breaches.
func Breached(folded string) bool {
	if folded == "" || strings.Contains(folded, "\n") {
		return false
	}
	low, high := 0, len(breachedFile) // both are where a line begins
	for low < high {
		middle := low + (high-low)/2
		begin := strings.LastIndexByte(breachedFile[:middle], '\n') + 1
		end := begin + strings.IndexByte(breachedFile[begin:], '\n')
		switch line := breachedFile[begin:end]; {
		case line == folded:
			return true
		case line < folded:
			low = end + 1
		default:
			high = begin
		}
	}
	return false
}

// Fold is how passwords are compared with the lists: in the compatible form of Unicode,
// without its capitals.
func Fold(plain string) string {
	return strings.ToLower(norm.NFKC.String(strings.ToLower(plain)))
}

// Common says that a password is one of those that are tried first: one that was found in
// breaches, or one made of a common word or one of the given words, once or more often, with
// nothing but a few digits and signs around it; or of one character, or of a row of the
// keyboard. The given words are those that stand for the person who chooses it, such as
// names; each is compared by its letters alone.
//
// It binds when a password is set. One that somebody has is never judged by it.
func Common(plain string, own ...string) bool {
	low := Fold(plain)
	if once(low) || inRow(low) || Breached(low) {
		return true
	}
	bare := letters(low)
	if bare == "" {
		return len(low) <= 10 // digits and signs alone: a date, a number of theirs
	}
	forms := []string{low}
	if utf8.RuneCountInString(low)-utf8.RuneCountInString(bare) <= fewSigns {
		forms = append(forms, bare, letters(plainSpeech(low)), letters(plainSpeech(strings.TrimRightFunc(low, sign))))
	}
	own = slices.Clone(own)
	for i, word := range own {
		own[i] = letters(Fold(word))
	}
	known := stems()
	return slices.ContainsFunc(forms, func(form string) bool {
		stem := unrepeated(form)
		return form != "" && (known[stem] || known[form] || Breached(form) || slices.Contains(own, stem) || slices.Contains(own, form))
	})
}

// fewSigns is how many digits and signs beside a common word add nothing.
const fewSigns = 6

func sign(r rune) bool { return !unicode.IsLetter(r) }

// letters are those of a text, in lower case.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// plainSpeech undoes the usual disguises.
func plainSpeech(s string) string {
	return strings.NewReplacer("0", "o", "1", "i", "!", "i", "3", "e", "4", "a", "@", "a", "5", "s", "$", "s", "7", "t", "8", "b").Replace(s)
}

// unrepeated is the shortest part that a text is a repetition of.
func unrepeated(s string) string {
	for n := 1; n <= len(s)/2; n++ {
		if len(s)%n == 0 && strings.Repeat(s[:n], len(s)/n) == s {
			return s[:n]
		}
	}
	return s
}

// once says that a text has two different characters at most.
func once(s string) bool {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen) <= 2
}

// rows are the orders in which fingers walk.
var rows = []string{
	"abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiopasdfghjklzxcvbnm", "qwertyuiop[]asdfghjkl;'zxcvbnm,./",
	"qazwsxedcrfvtgbyhnujmikolp", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "!@#$%^&*()",
}

// inRow says that a text is a piece of such a row, forwards or backwards, perhaps more
// often than once.
func inRow(s string) bool {
	stem := unrepeated(s)
	back := []rune(stem)
	slices.Reverse(back)
	return slices.ContainsFunc(rows, func(row string) bool {
		return strings.Contains(row, stem) || strings.Contains(row, string(back))
	})
}
