// Package help is the guides, open to everybody and fit to print.
package help

import (
	"embed"
	"net/http"
	"strings"

	"keyturn/internal/fault"
	"keyturn/internal/locale"
	"keyturn/internal/web"
)

//go:embed *.html *.css pictures
var files embed.FS

// Face is the guides' pages and styles, for the kit.
func Face() web.Face {
	return web.Face{Name: "help", Files: files}
}

// Help serves the guides.
type Help struct {
	Kit *web.Kit
	// Searched is told of each search whether it found anything, and the words of one that
	// did not, without who asked. May be nil.
	Searched func(found bool, words string)
}

// Index answers "GET /help": what there is to read, and with "q" where it is spoken of.
func (h Help) Index() http.Handler {
	return h.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		page := contents()
		if asked := web.ReadQuery(r).Get("q"); asked != "" {
			page.search(asked)
			h.count(page)
		}
		return h.Kit.Show(w, r, http.StatusOK, page)
	})
}

// Guide answers "GET /help/{guide}".
func (h Help) Guide() http.Handler {
	return h.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		for _, g := range guides() {
			if g.slug == r.PathValue("guide") {
				return h.Kit.Show(w, r, http.StatusOK, g.page())
			}
		}
		return fault.NotFound
	})
}

// IndexPage lists the guides.
type IndexPage struct {
	Guides []Entry
	// Asked is what was searched for; empty where nothing was. Hits are where it was found.
	Asked string
	Hits  []Hit
}

// Entry is one guide in the list.
type Entry struct {
	Slug, Title, Lead string
}

// Head implements web.Page.
func (p IndexPage) Head() web.Head {
	return web.Head{Template: "help/index", Title: locale.Say(locale.HelpTitle), Layout: web.Reading}
}

func contents() IndexPage {
	var p IndexPage
	for _, g := range guides() {
		p.Guides = append(p.Guides, Entry{g.slug, locale.Say(g.title), locale.Say(g.lead)})
	}
	return p
}

// GuidePage is one guide.
type GuidePage struct {
	Title, Lead string
	Parts       []Part
}

// Part is a heading, or a run of blocks of one sort.
type Part struct {
	Heading string
	// ID is the heading's anchor.
	ID string
	// Paras, Steps, Points and Cautions: one of them is not empty, unless it is a heading or
	// a picture.
	Paras, Steps, Points, Cautions []Para
	// Shot is the picture's file, Seen what can be seen in it. May be empty.
	Shot, Seen string
}

// Para is one sentence or more, with an anchor of its own.
type Para struct {
	ID    string
	Words []locale.Run
}

// Head implements web.Page.
func (p GuidePage) Head() web.Head {
	return web.Head{Template: "help/guide", Title: p.Title, Layout: web.Reading}
}

// page gathers neighbours of one sort, so that steps become one numbered list.
func (g guide) page() GuidePage {
	p := GuidePage{Title: locale.Say(g.title), Lead: locale.Say(g.lead)}
	last := heading
	for _, b := range g.blocks {
		if b.sort == heading {
			p.Parts = append(p.Parts, Part{Heading: locale.Say(b.key), ID: b.anchor()})
		} else {
			if b.sort != last || b.sort == shot || len(p.Parts) == 0 {
				p.Parts = append(p.Parts, Part{})
			}
			p.Parts[len(p.Parts)-1].add(b)
		}
		last = b.sort
	}
	return p
}

func (p *Part) add(b block) {
	runs := Para{ID: b.anchor(), Words: locale.Rich(b.key)}
	switch b.sort {
	case heading:
	case para:
		p.Paras = append(p.Paras, runs)
	case step:
		p.Steps = append(p.Steps, runs)
	case point:
		p.Points = append(p.Points, runs)
	case shot:
		p.Shot, p.Seen = "help-"+strings.TrimPrefix(b.anchor(), "shot-")+".png", locale.Say(b.key)
	case say:
		p.Cautions = append(p.Cautions, runs)
	}
}
