package door

import (
	"net/http"

	"keyturn/internal/address"
	"keyturn/internal/locale"
	"keyturn/internal/login"
	"keyturn/internal/web"
)

// UndoPage is behind the link that an old address got: it says what was changed, and its
// button is the form POST /undo/{token}.
type UndoPage struct {
	Token string
	// Old is the address that the link came to, New the one that signs in now, masked.
	Old, New string
}

// Head implements web.Page.
func (p UndoPage) Head() web.Head {
	return web.Head{Template: "door/undo", Title: locale.Say(locale.UndoTitle)}
}

// UndonePage says what became of it.
type UndonePage struct {
	Found login.Found
	// Old is the address that signs in again, where it does.
	Old string
}

// Head implements web.Page.
func (p UndonePage) Head() web.Head {
	return web.Head{Template: "door/undone", Title: p.Heading()}
}

// Done says that the old address signs in.
func (p UndonePage) Done() bool { return p.Found == login.Done }

// Heading is the one thing to know on this page.
func (p UndonePage) Heading() string {
	switch p.Found {
	case login.Done:
		return locale.Say(locale.UndoDoneTitle)
	case login.Over, login.May:
		return locale.Say(locale.UndoOverTitle)
	case login.Gone:
	}
	return locale.Say(locale.UndoGoneTitle)
}

// Words say what that means and what to do.
func (p UndonePage) Words() string {
	switch p.Found {
	case login.Done:
		return locale.Say(locale.UndoDoneWords)
	case login.Over, login.May:
		return locale.Say(locale.UndoOverWords)
	case login.Gone:
	}
	return locale.Say(locale.UndoGoneWords)
}

// Undo answers "GET /undo/{token}": a change of a login name that the old address may take
// back. It changes nothing.
func (d *Door) Undo() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		c, found, err := d.Login.View(r.Context(), r.PathValue("token"))
		if err != nil {
			return err
		}
		if found == login.May {
			return d.Kit.Show(w, r, http.StatusOK, UndoPage{Token: r.PathValue("token"), Old: string(c.Old), New: address.Mask(c.New)})
		}
		return d.showUndone(w, r, found, string(c.Old))
	})
}

// TakeBack answers "POST /undo/{token}".
func (d *Door) TakeBack() http.Handler {
	return d.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		if _, err := web.ReadForm(w, r); err != nil {
			return err
		}
		c, _, err := d.Login.View(r.Context(), r.PathValue("token"))
		if err != nil {
			return err
		}
		found, err := d.Login.Undo(r.Context(), r.PathValue("token"), d.place(w, r))
		if err != nil {
			return err
		}
		return d.showUndone(w, r, found, string(c.Old))
	})
}

func (d *Door) showUndone(w http.ResponseWriter, r *http.Request, found login.Found, old string) error {
	status := http.StatusOK
	if found == login.Gone {
		status = http.StatusNotFound
	}
	return d.Kit.Show(w, r, status, UndonePage{Found: found, Old: old})
}
