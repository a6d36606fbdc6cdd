package staff

import (
	"net/http"

	"keyturn/internal/authority"
	"keyturn/internal/locale"
	"keyturn/internal/prepare"
	"keyturn/internal/web"
)

// ReadinessPage says how ready the sites of each account manager are, and all together.
// It names no site and nobody at one: those are on the list of sites of whoever they are
// given to.
type ReadinessPage struct {
	Rows []ReadinessRow
	Sum  ReadinessRow
	// Uncounted is how many sites have still to be counted, Oldest when the oldest count is
	// from; empty: nothing is counted.
	Uncounted int
	Oldest    string
}

// ReadinessRow is one account manager, or the sum. Own says that it is the reader.
type ReadinessRow struct {
	Manager                                      string
	Own                                          bool
	Sites, Unproved, Ready, Manage, Help, Exempt int
	// ReadyWide, ManageFrom, ManageWide and HelpFrom and HelpWide are the parts of a bar that
	// is 100 wide.
	ReadyWide, ManageFrom, ManageWide, HelpFrom, HelpWide float64
	// Chart says the bar in words.
	Chart string
}

// Head implements web.Page.
func (p ReadinessPage) Head() web.Head {
	return web.Head{Template: "staff/readiness", Title: locale.Say(locale.ConsoleReadiness), Layout: web.Broad}
}

// Readiness answers "GET /staff/readiness".
func (s *Staff) Readiness() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		all, sum, err := s.Prepare.Totals(r.Context(), by)
		if err != nil {
			return err
		}
		page := ReadinessPage{Sum: readinessRow(sum), Uncounted: sum.Uncounted}
		if !sum.Oldest.IsZero() {
			page.Oldest = locale.Span(s.DB.Clock.Now().Sub(sum.Oldest))
		}
		for _, t := range all {
			row := readinessRow(t)
			row.Own = t.Manager == string(by.User.Login)
			if row.Manager == "" {
				row.Manager = locale.Say(locale.ConsoleReadinessNobody)
			}
			page.Rows = append(page.Rows, row)
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func readinessRow(t prepare.Total) ReadinessRow {
	row := ReadinessRow{
		Manager: t.Manager, Sites: t.Sites, Unproved: t.Unproved, Ready: t.Ready, Manage: t.WillManage, Help: t.NeedsHelp, Exempt: t.Exempt,
		Chart: locale.Say(locale.ConsoleReadinessChart, locale.Data{"Ready": t.Ready, "Manage": t.WillManage, "Help": t.NeedsHelp}),
	}
	if t.Office() == 0 {
		return row
	}
	const tenths = 10
	part := func(n int) float64 { return float64(n*100*tenths/t.Office()) / tenths }
	row.ReadyWide, row.HelpWide = part(t.Ready), part(t.NeedsHelp)
	row.ManageFrom, row.HelpFrom = row.ReadyWide, 100-row.HelpWide
	row.ManageWide = row.HelpFrom - row.ManageFrom
	return row
}
