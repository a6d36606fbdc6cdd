package locale

import "unicode"

// Letter is one letter or digit of a code, and how it is said on the phone.
type Letter struct{ Sign, Said string }

// spelled are the words of the radiotelephony alphabet (ITU Radio Regulations, appendix
// 14), which phones garble least.
var spelled = map[rune]Key{
	'A': SpellA, 'C': SpellC, 'D': SpellD, 'E': SpellE, 'F': SpellF, 'G': SpellG, 'H': SpellH, 'J': SpellJ, 'K': SpellK,
	'M': SpellM, 'N': SpellN, 'P': SpellP, 'Q': SpellQ, 'R': SpellR, 'T': SpellT, 'U': SpellU, 'V': SpellV, 'W': SpellW,
	'X': SpellX, 'Y': SpellY, 'Z': SpellZ, '2': Spell2, '3': Spell3, '4': Spell4, '6': Spell6, '7': Spell7, '9': Spell9,
}

// Spell gives the letters and digits of a code as they are read out. Anything else in it,
// such as the dashes between its groups, is left out.
func Spell(code string) []Letter {
	var all []Letter
	for _, r := range code {
		if key, ok := spelled[unicode.ToUpper(r)]; ok {
			all = append(all, Letter{Sign: string(unicode.ToUpper(r)), Said: Say(key)})
		}
	}
	return all
}
