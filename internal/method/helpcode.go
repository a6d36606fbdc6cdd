package method

import (
	"crypto/rand"
)

const (
	// helpLetters is how many letters a help code has: 27^9 is 42 bits, of the 40 that
	// one must have which lives 15 minutes and bears 5 tries.
	helpLetters = 9
	// helpAlphabet leaves out what sounds or looks like another: no B, I, L, O, S, no 0,
	// 1, 5, 8.
	helpAlphabet = "234679ACDEFGHJKMNPQRTUVWXYZ"
)

// NewHelpCode makes a code to be read out: nine letters in groups of three, each as likely
// as any other. What is stored is a hash of ReadHelpCode of it.
func NewHelpCode() string {
	// The largest multiple of 27 in a byte: what is beyond it would make the first
	// letters more likely, and is thrown away.
	const even = 256 / len(helpAlphabet) * len(helpAlphabet)
	letters := make([]byte, 0, helpLetters)
	random := make([]byte, 2*helpLetters)
	for len(letters) < helpLetters {
		_, _ = rand.Read(random) // it ends the program rather than give less
		for _, b := range random {
			if int(b) < even && len(letters) < helpLetters {
				letters = append(letters, helpAlphabet[int(b)%len(helpAlphabet)])
			}
		}
	}
	return inGroups(string(letters), 3, "-")
}

// ReadHelpCode reads a help code as people type it, in its one form of nine capitals and
// digits: small letters, spaces and dashes are read. false: it has not the form of one.
func ReadHelpCode(typed string) (string, bool) {
	return squeeze(typed, helpLetters, func(r rune) rune { return r }, helpAlphabet)
}
