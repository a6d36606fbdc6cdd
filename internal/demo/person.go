package demo

import (
	"keyturn/internal/locale"
	"keyturn/internal/policy"
)

// Person is one membership of the story, as scripts and the desk are told of it. A user
// with several sites is there once for each.
type Person struct {
	// Email is the login name, which for some is no address.
	Email string `json:"email"`
	// Mobile is the number in its E.164 form; empty if there is none.
	Mobile string `json:"mobile"`
	// Site is the site's name, SiteRef its reference.
	Site    string `json:"site"`
	SiteRef string `json:"site_ref"`
	Name    string `json:"name"`
	Group   string `json:"group"`
	Kind    string `json:"kind"`
	Status  string `json:"status"`
	// Note says what is special, or what happens at sign-in when the demo starts.
	Note string `json:"note"`
	// Usual says that the note only tells what is so for most people of the site, which
	// changes with the clock and the connection.
	Usual bool `json:"-"`
}

// People lists the memberships of the story, the Xero site's Admin first, each site's
// together.
func People() []Person {
	var all []Person
	for _, s := range story() {
		for _, m := range s.members {
			all = append(all, m.person(s))
		}
	}
	return all
}

func (m member) person(s workshop) Person {
	p := Person{
		Email: m.login, Mobile: m.mobile, Site: s.name, SiteRef: s.ref, Name: m.first + " " + m.last,
		Group: string(m.group), Kind: string(m.kindOr()), Status: string(m.statusOr()),
	}
	note := m.note
	if note == "" {
		p.Usual, note = true, s.usual
	}
	p.Note = locale.Say(note)
	return p
}

func (m member) kindOr() policy.Kind {
	if m.kind == "" {
		return policy.Office
	}
	return m.kind
}

func (m member) statusOr() policy.Status {
	if m.status == "" {
		return policy.Active
	}
	return m.status
}
