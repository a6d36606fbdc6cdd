package rescue

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"keyturn/internal/password"
	"keyturn/internal/user"
)

// Unfit is why a new password cannot be used; empty if it can.
type Unfit string

// The reasons. There are no rules of composition (NIST 800-63B-4 section 3.1.1.2).
const (
	// TooShort says that it has fewer than 8 characters.
	TooShort Unfit = "short"
	// TooLong says that it is longer than anybody types.
	TooLong Unfit = "long"
	// TooCommon says that it is one of those that are tried first, or made of the person's
	// own name.
	TooCommon Unfit = "common"
)

// shortest is the least number of characters. NIST 800-63B-4 section 3.1.1.2 has 8
// where a second factor follows, and counts each code point as one.
const shortest = 8

//go:embed common.txt
var commonFile string

// commonWords are the stems of the passwords that are tried first.
var commonWords = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(commonFile) {
		if word := strings.TrimSpace(line); word != "" && !strings.HasPrefix(word, "#") {
			all[word] = true
		}
	}
	return all
})

// Judge says why a password cannot become somebody's; empty if it can. Every place where
// one is set asks here, so that all have the same rules. Those that somebody has are
// never judged.
func (d *Desk) Judge(plain string, who user.User) Unfit {
	plain = norm.NFC.String(plain)
	switch {
	case password.TooLong(plain):
		return TooLong
	case utf8.RuneCountInString(plain) < shortest:
		return TooShort
	case common(plain, own(who, d.VendorName)):
		return TooCommon
	}
	return ""
}

// own are the words that stand for a person (ASVS 6.2.11): whoever guesses tries them.
func own(who user.User, vendor string) []string {
	first, last := letters(who.FirstName), letters(who.LastName)
	host, _, _ := strings.Cut(who.Login.Domain(), ".")
	return []string{
		first, last, first + last, last + first, letters(vendor), letters(host),
		letters(who.Login.Local()), letters(string(who.Login)),
	}
}

// common says that a password is made of one of those words, once or more often, with
// nothing but digits and signs around it; or of one character, or of a row of the
// keyboard.
func common(plain string, own []string) bool {
	low := strings.ToLower(plain)
	if once(low) || inRow(low) {
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
	known := commonWords()
	return slices.ContainsFunc(forms, func(form string) bool {
		stem := unrepeated(form)
		return form != "" && (known[stem] || known[form] || slices.Contains(own, stem) || slices.Contains(own, form))
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
