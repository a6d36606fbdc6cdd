package help

import (
	"strings"
	"unicode"

	"keyturn/internal/locale"
)

// Hit is a paragraph that has all the words.
type Hit struct {
	Guide, Path string
	Words       []locale.Run
}

const (
	// longestAsked bounds what is searched for, in letters.
	longestAsked = 100
	hitsShown    = 12
)

// search finds the paragraphs that have every word, in the order of the guides.
func (p *IndexPage) search(asked string) {
	if letters := []rune(asked); len(letters) > longestAsked {
		asked = string(letters[:longestAsked])
	}
	p.Asked = asked
	words := strings.Fields(strings.ToLower(asked))
	if len(words) == 0 {
		return
	}
	for _, g := range guides() {
		section := ""
		for _, b := range g.blocks {
			text := locale.Say(b.key)
			if b.sort == heading {
				section = text
				continue
			}
			if b.sort == shot || !hasAll(strings.ToLower(locale.Say(g.title)+" "+section+" "+text), words) {
				continue
			}
			if len(p.Hits) < hitsShown {
				p.Hits = append(p.Hits, Hit{Guide: locale.Say(g.title), Path: "/help/" + g.slug + "#" + b.anchor(), Words: locale.Rich(b.key)})
			}
		}
	}
}

func hasAll(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// count tells of a search. What somebody typed may be an address, a number or a secret
// that slipped: only plain words go on.
func (h Help) count(p IndexPage) {
	if h.Searched == nil {
		return
	}
	words := ""
	if len(p.Hits) == 0 {
		words = plain(p.Asked)
	}
	h.Searched(len(p.Hits) > 0, words)
}

// plain keeps the words that are letters alone, and not too long to be words.
func plain(asked string) string {
	const longest = 20
	var kept []string
	for w := range strings.FieldsSeq(strings.ToLower(asked)) {
		if len(w) <= longest && !strings.ContainsFunc(w, func(r rune) bool { return !unicode.IsLetter(r) }) {
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, " ")
}
