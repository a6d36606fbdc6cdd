package audit

import (
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"
)

func TestTheCanonicalBodyIsSpelledTheSameForever(t *testing.T) {
	t.Parallel()
	b := body{
		At: 1790000000000001, Chain: "site:s", ID: "e", Kind: SessionStarted, Seq: 7, Site: "s", User: "u", V: 1,
		Facts:    map[string]string{"b": "x\ny", "a": "\u202e\U000E0041<é>"},
		Personal: map[string]string{"address": "c0mm1t"},
	}
	b.Actor.ID, b.Actor.Kind = `"u"`, ActorUser
	want := `{"actor":{"id":"\"u\"","kind":"user"},"at":1790000000000001,"chain":"site:s",` +
		`"facts":{"a":"\u202e\udb40\udc41<é>","b":"x\u000ay"},"id":"e","kind":"session.started",` +
		`"personal":{"address":"c0mm1t"},"seq":7,"site":"s","user":"u","v":1}`
	if diff := cmp.Diff(want, b.encode()); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyTheCanonicalSpellingIsRead(t *testing.T) {
	t.Parallel()
	text := prepare(Event{Kind: SiteEntered, Site: "s", Facts: map[string]string{"a": "1", "b": "2"}}, 1).body.encode()
	if _, err := decode(text); err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string]string{
		"a space":             strings.Replace(text, `,"at"`, `, "at"`, 1),
		"an unknown field":    strings.Replace(text, `,"at"`, `,"also":1,"at"`, 1),
		"a field twice":       strings.Replace(text, `"at":1`, `"at":2,"at":1`, 1),
		"another order":       strings.Replace(text, `"a":"1","b":"2"`, `"b":"2","a":"1"`, 1),
		"a needless escape":   strings.Replace(text, `"a":"1"`, `"a":"\u0031"`, 1),
		"another case":        strings.Replace(text, `"at"`, `"At"`, 1),
		"a line end":          text + "\n",
		"two bodies":          text + text,
		"a version to come":   strings.Replace(text, `"v":1`, `"v":2`, 1),
		"no facts at all":     strings.Replace(text, `{"a":"1","b":"2"}`, `null`, 1),
		"half a character":    strings.Replace(text, `"a":"1"`, `"a":"\ud800"`, 1),
		"a number in letters": strings.Replace(text, `"at":1`, `"at":"1"`, 1),
	} {
		if other == text {
			t.Errorf("%s: nothing was changed", name)
		}
		if _, err := decode(other); err == nil {
			t.Errorf("%s is read: %s", name, other)
		}
	}
}

func FuzzEveryEventIsOneLineAndComesBack(f *testing.F) {
	f.Add("fact", "value", "actor", "agent")
	f.Add("a\nb", "\x1b[0m\"\\\u009b", "\xff\x00", "\u2028\u202e\ufeff\U000E0001")
	f.Fuzz(func(t *testing.T, name, value, actor, agent string) {
		b := prepare(Event{
			Kind: SiteEntered, Site: "s", User: "u",
			Actor:    Actor{Kind: ActorUser, ID: actor, Agent: agent},
			Facts:    map[string]string{name: value},
			Personal: map[string]string{name: agent},
		}, 1).body
		text := b.encode()
		if i := strings.IndexFunc(text, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u202e' }); i >= 0 {
			t.Errorf("%q has a control at %d", text, i)
		}
		again, err := decode(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if diff := cmp.Diff(b, again); diff != "" {
			t.Error(diff)
		}
	})
}

func FuzzWhatIsReadIsCanonical(f *testing.F) {
	f.Add(prepare(Event{Kind: SiteEntered, Site: "s", Facts: map[string]string{"a": "\u0085"}}, 1).body.encode())
	f.Fuzz(func(t *testing.T, text string) {
		if b, err := decode(text); err == nil && b.encode() != text {
			t.Errorf("%q is read as %q", text, b.encode())
		}
	})
}

func TestTheEdgeGrowsTheTreeOfTheLibrary(t *testing.T) {
	t.Parallel()
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		all := make([]tlog.Hash, len(at))
		for i, pos := range at {
			all[i] = stored[pos]
		}
		return all, nil
	})
	var e edge
	for n := range int64(200) {
		want, err := tlog.TreeHash(n, reader)
		if err != nil {
			t.Fatal(err)
		}
		if e.root() != want {
			t.Fatalf("of %d events the root is %v, want %v", n, e.root(), want)
		}
		data := []byte{byte(n)}
		more, err := tlog.StoredHashes(n, data, reader)
		if err != nil {
			t.Fatal(err)
		}
		if len(more) != 1+ones(n) {
			t.Errorf("with event %d, %d hashes are stored, want %d", n, len(more), 1+ones(n))
		}
		stored = append(stored, more...)
		e.add(tlog.RecordHash(data))
	}
}
