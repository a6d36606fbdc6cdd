package reason

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"time"

	"keyturn/internal/policy"
	"keyturn/internal/readiness"
	"keyturn/internal/sheet"
)

// SiteReady is the readiness of a site as programs read it. Names stay; fields are added.
type SiteReady struct {
	Site struct {
		ID   string `json:"id"`
		Ref  string `json:"ref"`
		Name string `json:"name"`
	} `json:"site"`
	At         time.Time `json:"at"`
	Ready      int       `json:"ready"`
	WillManage int       `json:"will_manage"`
	NeedsHelp  int       `json:"needs_help"`
	Exempt     int       `json:"exempt"`
	// AdminProved says that an Admin of its office could get in with a way that was proved;
	// LoneAdmin that there is only one Admin.
	AdminProved bool          `json:"admin_proved"`
	LoneAdmin   bool          `json:"lone_admin"`
	People      []PersonReady `json:"people"`
}

// PersonReady is one person in it.
type PersonReady struct {
	User  string      `json:"user"`
	Name  string      `json:"name"`
	Login string      `json:"login"`
	Group string      `json:"group"`
	Kind  string      `json:"kind"`
	Mark  policy.Mark `json:"readiness"`
	// Lacks are stable words of the policy, one for each way that would not do; Do is the one
	// thing that gets them further.
	Lacks []LackReady      `json:"lacks,omitempty"`
	Do    readiness.Action `json:"do,omitempty"`
}

// LackReady is why one way would not do.
type LackReady struct {
	Method policy.MethodKind  `json:"method"`
	Key    policy.WithheldKey `json:"key"`
}

// ForPrograms is the readiness of a site as programs read it.
func ForPrograms(s readiness.Site, now time.Time) SiteReady {
	out := SiteReady{
		At: now.UTC().Truncate(time.Second), Ready: s.Ready, WillManage: s.WillManage, NeedsHelp: s.NeedsHelp, Exempt: s.Exempt,
		AdminProved: s.AdminProved, LoneAdmin: s.LoneAdmin, People: make([]PersonReady, 0, len(s.People)),
	}
	out.Site.ID, out.Site.Ref, out.Site.Name = string(s.Site.ID), s.Site.Ref, s.Site.Name
	for _, p := range s.People {
		one := PersonReady{
			User: string(p.User), Name: p.Name, Login: p.Login, Group: string(p.Group), Kind: string(p.Kind), Mark: p.Mark, Do: p.Do,
		}
		for _, w := range p.Lacks {
			one.Lacks = append(one.Lacks, LackReady{w.Kind, w.Key})
		}
		out.People = append(out.People, one)
	}
	return out
}

// SheetHead is the first line of the readiness as a sheet.
func SheetHead() []string {
	return []string{"site_ref", "site", "name", "login", "group", "kind", "readiness", "lacks", "do"}
}

// Sheet writes the people of a site as lines of a CSV sheet (RFC 4180) whose cells no
// spreadsheet runs.
func Sheet(w *csv.Writer, s readiness.Site) error {
	for _, p := range s.People {
		line := []string{
			s.Site.Ref, s.Site.Name, p.Name, p.Login, string(p.Group), string(p.Kind), Mark(p.Mark), strings.Join(Unready(p), " "), Mend(p.Do),
		}
		for i := range line {
			line[i] = sheet.Cell(line[i])
		}
		if err := w.Write(line); err != nil {
			return fmt.Errorf("write a line: %w", err)
		}
	}
	return nil
}

// OneSheet writes one site with the head.
func OneSheet(to io.Writer, s readiness.Site) error {
	w := csv.NewWriter(to)
	if err := w.Write(SheetHead()); err != nil {
		return fmt.Errorf("write the head: %w", err)
	}
	if err := Sheet(w, s); err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}
