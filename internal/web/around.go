package web

import (
	"context"
	"fmt"
	"net/http"

	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/site"
)

// Around is what stands around a page of somebody who is signed in. A face's guard puts
// it into the request; the pages themselves know nothing of it.
type Around struct {
	// Menu are the pages of the section that the page is in, MenuTitle the section's name.
	// May be empty.
	Menu      []MenuItem
	MenuTitle string
	// Sites are the person's other sites, which they may go to from here. May be empty.
	Sites []OtherSite
	// Help is as in Head, for a page that does not say it itself.
	Help string
}

// MenuItem is one page of a menu.
type MenuItem struct {
	Title, Path string
	// Here says that the page that is shown is this one, or lies under it.
	Here bool
}

// OtherSite is a site to go to.
type OtherSite struct {
	// ID is the value of the field "site" of a form to "/me/site".
	ID, Name string
}

type aroundKey struct{}

// With gives the request with what stands around its page.
func With(r *http.Request, a Around) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), aroundKey{}, a))
}

func aroundOf(r *http.Request) Around {
	a, _ := r.Context().Value(aroundKey{}).(Around)
	return a
}

// OtherSites are the sites that a person may go to from one of them.
func OtherSites(ctx context.Context, from db.Reader, who id.User, here id.Site) ([]OtherSite, error) {
	all, err := site.Entered(ctx, from, who)
	if err != nil {
		return nil, fmt.Errorf("list a person's sites: %w", err)
	}
	var others []OtherSite
	for _, s := range all {
		if s.ID != here {
			others = append(others, OtherSite{ID: string(s.ID), Name: s.Name})
		}
	}
	return others, nil
}
