package sharing_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"keyturn/internal/address"
	"keyturn/internal/session"
	"keyturn/internal/sharing"
)

// perLabel is how many traces of each kind are made.
const perLabel = 15

// A login that is one person's is never shown as anything else: in no trace of any kind.
// Of the shared ones nine of ten are found; two who take turns at one computer under one
// name look like one person, and are not.
func TestSharedLoginsAreFoundAndSinglePeopleAreNot(t *testing.T) {
	t.Parallel()
	found, missed, wrong, right := 0, 0, 0, 0
	for _, l := range labels() {
		hits := 0
		for seed := range uint64(perLabel) {
			m := newMaker(seed)
			l.make(m)
			evidence := sharing.Judge(m.made())
			if len(evidence) > 0 {
				hits++
				if !l.shared {
					t.Errorf("%s, trace %d: %+v", l.name, seed, evidence)
				}
			}
		}
		switch {
		case l.shared:
			found, missed = found+hits, missed+perLabel-hits
			if l.visible && hits < perLabel*8/10 {
				t.Errorf("%s: only %d of %d are found", l.name, hits, perLabel)
			}
		default:
			wrong, right = wrong+hits, right+perLabel-hits
		}
		t.Logf("%2d of %d found: %s", hits, perLabel, l.name)
	}
	precision, recall := float64(found)/float64(max(1, found+wrong)), float64(found)/float64(found+missed)
	t.Logf("precision %.3f, recall %.3f: %d found, %d missed, %d single of which %d wrong", precision, recall, found, missed, right+wrong, wrong)
	if recall < 0.85 {
		t.Errorf("the recall is %.3f", recall)
	}
}

func kinds(all []sharing.Evidence) []sharing.Kind {
	var out []sharing.Kind
	for _, e := range all {
		out = append(out, e.Kind)
	}
	return out
}

func TestNamesSpeakForThemselves(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sentence           string
		login, first, last string
		names              []string
		want               []sharing.Kind
	}{
		{"a person", "kim@bayside.example", "Kim", "Osei", nil, nil},
		{"a mailbox of a place, and a person", "accounts@bayside.example", "Bev", "Lind", nil, nil},
		{"the name of a place, and a person's mailbox", "kim@bayside.example", "Front", "Desk", nil, nil},
		{"both of a place", "reception@bayside.example", "Front", "Desk", nil, []sharing.Kind{sharing.RoleMailbox, sharing.RoleName}},
		{"two people joined by a sign", "pk@bayside.example", "Pat & Kim", "Lee", nil, []sharing.Kind{sharing.TwoNames}},
		{"joined by a stroke", "pk@bayside.example", "Pat/Kim", "Lee", nil, []sharing.Kind{sharing.TwoNames}},
		{"joined by a word", "pk@bayside.example", "Pat and Kim", "", nil, []sharing.Kind{sharing.TwoNames}},
		{"a name with those letters in it", "a@bayside.example", "Andrew", "Sanderson", nil, nil},
		{"two last names", "a@bayside.example", "Ana", "Silva and Costa", nil, nil},
		{"a name that begins with the word", "a@bayside.example", "And", "", nil, nil},
		{"one other name since", "a@bayside.example", "Ana", "Silva", []string{"Dale Porter"}, nil},
		{"two other names since", "a@bayside.example", "Ana", "Silva", []string{"Dale Porter", "Kim Osei"}, []sharing.Kind{sharing.ManyNames}},
		{"a short form and another last name", "r@bayside.example", "Rob", "Hale", []string{"Robert Hale", "Robert Hale-Ito"}, nil},
		{"handed on, with a mailbox of a place", "sales@bayside.example", "Ana", "Silva", []string{"Dale Porter"}, []sharing.Kind{sharing.RoleMailbox, sharing.ManyNames}},
		{"no name at all", "user1207@bayside.example", "", "", nil, nil},
		{"hostile", "x", "& and /", "\xff\x00", []string{"", " ", "&"}, nil},
	} {
		got := sharing.Judge(sharing.Trace{Login: address.Canonical(c.login), First: c.first, Last: c.last, Names: c.names})
		if !slices.Equal(kinds(got), c.want) {
			t.Errorf("%s: %q, want %q", c.sentence, kinds(got), c.want)
		}
	}
}

// More use never makes less evidence, in no number of it, and the same trace in another
// order says the same.
func TestMoreUseNeverMakesLessEvidence(t *testing.T) {
	t.Parallel()
	all := labels()
	rapid.Check(t, func(r *rapid.T) {
		m := newMaker(rapid.Uint64Range(0, 1000).Draw(r, "seed"))
		m.days = 14
		all[rapid.IntRange(0, len(all)-1).Draw(r, "label")].make(m)
		before := m.made()
		less := sharing.Judge(before)
		more := before
		more.Uses = slices.Clone(before.Uses)
		for range rapid.IntRange(1, 4).Draw(r, "more") {
			u := session.Uses{Place: dev(
				rapid.SampledFrom([]string{"desk", "other", "phone", "third", ""}).Draw(r, "browser"),
				rapid.SampledFrom([]string{"shop", "home", "carrier"}).Draw(r, "network"),
				rapid.SampledFrom([]string{pc, mac, phone, pad, "", "a browser"}).Draw(r, "agent"),
			)}
			start := at(rapid.IntRange(0, 29).Draw(r, "day"), 0)
			for range rapid.IntRange(1, 20).Draw(r, "tens") {
				u.Tens = append(u.Tens, start+rapid.Int64Range(0, 143).Draw(r, "ten"))
			}
			more.Uses = append(more.Uses, u)
		}
		slices.Reverse(more.Uses)
		after := map[sharing.Kind]sharing.Evidence{}
		for _, e := range sharing.Judge(more) {
			after[e.Kind] = e
		}
		for _, e := range less {
			if got := after[e.Kind]; got.Weight < e.Weight || got.Days < e.Days || got.Count < e.Count {
				r.Fatalf("%+v became %+v", e, got)
			}
		}
	})
}
