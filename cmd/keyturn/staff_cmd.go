package main

import (
	"errors"
	"fmt"

	"keyturn/internal/fault"
	"keyturn/internal/job"
	"keyturn/internal/message"
	"keyturn/internal/rescue"
)

type staffCmd struct {
	Add staffAdd `cmd:"" help:"Make a one-use code with which somebody becomes a member of the vendor's staff."`
}

type staffAdd struct {
	Email     string `arg:"" help:"Their work email, which is what they sign in with."`
	FirstName string `help:"First name."`
	LastName  string `help:"Last name."`
}

// Run implements the command. The code is printed and never mailed: whoever runs the
// command reads it out.
func (s staffAdd) Run(w *world) (err error) {
	c, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if c.PublicURL == nil {
		return w.hint(fmt.Errorf("KEYTURN_PUBLIC_URL is not given, and says where the code is typed: %w", fault.Invalid))
	}
	keys, err := w.keys(c)
	if err != nil {
		return err
	}
	if err := w.fitKeys(d, keys); err != nil {
		return err
	}
	jobs, err := job.New(d, nil, "", logger(w.err, c))
	if err != nil {
		return err
	}
	desk := &rescue.Desk{DB: d, Keys: keys, Jobs: jobs, Post: &message.Post{DB: d, Keys: keys, Jobs: jobs}, VendorName: c.VendorName}
	added, err := desk.AddStaff(w.ctx, by(), rescue.NewStaff{Email: s.Email, FirstName: s.FirstName, LastName: s.LastName})
	switch {
	case errors.Is(err, fault.Invalid):
		return errors.Join(errUsage, err)
	case errors.Is(err, fault.Conflict):
		return fmt.Errorf("this login name is that of a member of staff already, or of a site's user: %w", fault.Conflict)
	case err != nil:
		return err
	}
	next := "Another member of staff confirms them afterwards, at /staff."
	if added.First {
		next = "There is no staff yet: whoever is the first to enrol needs nobody to confirm them."
	}
	_, err = fmt.Fprintf(w.out, "%s\n\nRead this code out to %s. It works once, until %s, at %s/staff/enrol.\n%s\n",
		added.Code, s.Email, added.Until.Local().Format("15:04 MST"), c.PublicURL, next)
	return err
}
