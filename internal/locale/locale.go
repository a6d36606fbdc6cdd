// Package locale holds every word that a person reads, in one message catalogue,
// and says them by typed keys.
//
// The catalogue is the folder en-AU, a file for each kind of reader: a key, and either a
// sentence or its plural forms. A key stands in one file. A sentence is whole: none is glued from pieces, because another language would put
// the pieces in another order. Values stand in it as {{.Name}}, and what is to be
// bold stands between two pairs of stars.
//
// The keys in keys.go are made from the catalogue by "go generate". A test walks the
// templates and the Go code of the whole product and fails on an unknown key, on an
// unused one, and on a value that a sentence wants and does not get.
package locale

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/nicksnyder/go-i18n/v2/i18n/template"
	"golang.org/x/text/language"
)

//go:generate go run ./gen en-AU keys.go

//go:embed en-AU/*.json
var catalogue embed.FS

// Lang is the language of the catalogue, as an HTML page names it (BCP 47).
const Lang = "en-AU"

// Key names one message. The known ones are the constants of this package.
type Key string

// Data holds the values of a message by name. The value "Count", an int, also
// chooses between the plural forms of a message that has them.
type Data map[string]any

// Run is a piece of a sentence as it is shown: plain, or strong.
type Run struct {
	Text   string
	Strong bool
}

// The two marks stand for the stars of the catalogue while a sentence is made, so
// that stars in a value stay stars. They are control characters, which are taken out
// of values.
const (
	strongOn  = "\x02"
	strongOff = "\x03"
)

// unmark takes the marks out of a value.
var unmark = strings.NewReplacer(strongOn, "", strongOff, "")

// words is the catalogue as it is used.
type words struct {
	// plain holds the messages that need no value and have no plural: most of them.
	plain map[Key]string
	// plural says which of the others have plural forms.
	plural map[Key]bool
	// known are the messages that are not plain.
	known     map[Key]bool
	localizer *i18n.Localizer
	parser    template.Parser
}

// load reads the catalogue once, at the first word. It panics if the catalogue is
// malformed: it is part of the program, and the tests read all of it.
var load = sync.OnceValue(func() *words {
	w, err := read(catalogue)
	if err != nil {
		panic(err)
	}
	return w
})

// read parses a catalogue: every file of its folder.
func read(catalogue fs.FS) (*words, error) {
	tag := language.MustParse(Lang)
	bundle := i18n.NewBundle(tag)
	w := &words{
		plain:     map[Key]string{},
		plural:    map[Key]bool{},
		known:     map[Key]bool{},
		localizer: i18n.NewLocalizer(bundle, Lang),
		parser:    &template.TextParser{Option: "missingkey=error"},
	}
	files, err := fs.Glob(catalogue, Lang+"/*.json")
	if err != nil {
		return nil, fmt.Errorf("listing the message catalogue: %w", err)
	}
	for _, name := range files {
		raw, err := fs.ReadFile(catalogue, name)
		if err != nil {
			return nil, fmt.Errorf("reading the message catalogue: %w", err)
		}
		file, err := i18n.ParseMessageFileBytes(raw, Lang+".json", nil)
		if err != nil {
			return nil, fmt.Errorf("reading the message catalogue, %s: %w", name, err)
		}
		if err := w.add(bundle, tag, file.Messages); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// add takes in the messages of one file.
func (w *words) add(bundle *i18n.Bundle, tag language.Tag, messages []*i18n.Message) error {
	for _, m := range messages {
		m.One, m.Other = mark(m.One), mark(m.Other)
		switch {
		case m.One != "":
			w.plural[Key(m.ID)] = true
		case !strings.Contains(m.Other, "{{"):
			w.plain[Key(m.ID)] = m.Other
			continue
		}
		w.known[Key(m.ID)] = true
		if err := bundle.AddMessages(tag, m); err != nil {
			return fmt.Errorf("message %s: %w", m.ID, err)
		}
	}
	return nil
}

// mark turns each pair of stars into the marks.
func mark(s string) string {
	for strings.Count(s, "**") >= 2 {
		s = strings.Replace(s, "**", strongOn, 1)
		s = strings.Replace(s, "**", strongOff, 1)
	}
	return s
}

// say makes the sentence with its marks.
func (w *words) say(key Key, data Data) (string, error) {
	if s, ok := w.plain[key]; ok {
		return s, nil
	}
	clean := make(Data, len(data))
	for name, value := range data {
		if _, number := value.(int); !number {
			value = unmark.Replace(fmt.Sprint(value))
		}
		clean[name] = value
	}
	config := i18n.LocalizeConfig{
		MessageID:      string(key),
		TemplateData:   clean,
		TemplateParser: w.parser,
	}
	if w.plural[key] {
		count, ok := data["Count"].(int)
		if !ok {
			return "", fmt.Errorf("message %s wants a Count that is an int", key)
		}
		config.PluralCount = count
	}
	s, err := w.localizer.Localize(&config)
	if err != nil {
		return "", fmt.Errorf("message %s: %w", key, err)
	}
	return s, nil
}

// Say returns a message as plain text. Values are not escaped: whoever puts the text
// into HTML, a header or a log does that. At most one Data is used; a message without
// values needs none.
//
// It panics on an unknown key and on a missing value: both are slips of a programmer
// that the tests of this package find before a person does.
func Say(key Key, data ...Data) string {
	return unmark.Replace(sentence(key, data))
}

// Rich returns a message as runs of plain and strong text. It panics as Say does.
func Rich(key Key, data ...Data) []Run {
	var runs []Run
	for i, part := range strings.Split(sentence(key, data), strongOn) {
		strong, rest, found := strings.Cut(part, strongOff)
		if i == 0 || !found {
			strong, rest = "", unmark.Replace(part)
		}
		if strong != "" {
			runs = append(runs, Run{Text: strong, Strong: true})
		}
		if rest != "" {
			runs = append(runs, Run{Text: rest})
		}
	}
	return runs
}

func sentence(key Key, data []Data) string {
	var values Data
	if len(data) > 0 {
		values = data[0]
	}
	s, err := load().say(key, values)
	if err != nil {
		panic(err)
	}
	return s
}

// AnyOf names several people as a choice: "Pat", "Pat or Kim", "Pat, Kim or Sam". It
// is empty for no names.
func AnyOf(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	last := len(names) - 1
	return Say(ListOr, Data{"Some": strings.Join(names[:last], Say(ListComma)), "Last": names[last]})
}

// Known says whether the catalogue has a message: a key that comes from data, as that of
// an event of a later release, may have none.
func Known(key Key) bool {
	w := load()
	if _, ok := w.plain[key]; ok {
		return true
	}
	return w.known[key]
}
