// Package help is the guides, open to everybody and fit to print.
package help

import (
	"embed"
	"net/http"

	"keyturn/internal/fault"
	"keyturn/internal/locale"
	"keyturn/internal/web"
)

//go:embed *.html *.css
var files embed.FS

// Face is the guides' pages and styles, for the kit.
func Face() web.Face {
	return web.Face{Name: "help", Files: files}
}

// Help serves the guides.
type Help struct {
	Kit *web.Kit
}

// Index answers "GET /help": what there is to read.
func (h Help) Index() http.Handler {
	return h.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return h.Kit.Show(w, r, http.StatusOK, contents())
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
	// Paras, Steps, Points and Cautions: one of them is not empty, unless it is a heading.
	Paras, Steps, Points, Cautions [][]locale.Run
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
			p.Parts = append(p.Parts, Part{Heading: locale.Say(b.key)})
		} else {
			if b.sort != last || len(p.Parts) == 0 {
				p.Parts = append(p.Parts, Part{})
			}
			p.Parts[len(p.Parts)-1].add(b)
		}
		last = b.sort
	}
	return p
}

func (p *Part) add(b block) {
	runs := locale.Rich(b.key)
	switch b.sort {
	case heading:
	case para:
		p.Paras = append(p.Paras, runs)
	case step:
		p.Steps = append(p.Steps, runs)
	case point:
		p.Points = append(p.Points, runs)
	case say:
		p.Cautions = append(p.Cautions, runs)
	}
}
