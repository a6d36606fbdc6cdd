package staff

import (
	"net/http"
	"time"

	"keyturn/internal/authority"
	"keyturn/internal/locale"
	"keyturn/internal/rescue"
)

// Home answers "GET /staff".
func (s *Staff) Home() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		page, err := s.home(r, by)
		if err != nil {
			return err
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Staff) home(r *http.Request, by authority.Bearer) (HomePage, error) {
	page := HomePage{As: by.User.Name()}
	joining, err := s.Rescue.NewStaffWaiting(r.Context())
	if err != nil {
		return page, err
	}
	if page.Proposals, err = s.proposals(r, by); err != nil {
		return page, err
	}
	now := s.DB.Clock.Now()
	for _, u := range joining {
		page.Joining = append(page.Joining, Joining{
			ID: string(u.ID), Name: u.Name(), Login: string(u.Login), Since: locale.Moment(u.CreatedAt, time.UTC, now),
		})
	}
	for _, state := range []rescue.RecoveryState{rescue.RecoveryContested, rescue.RecoveryOpen, rescue.RecoveryWaiting} {
		all, hidden, err := s.Rescue.List(r.Context(), by, state)
		if err != nil {
			return page, err
		}
		page.Elsewhere += hidden
		for _, one := range all {
			row, err := s.row(r, by, one, now)
			if err != nil {
				return page, err
			}
			page.Recoveries = append(page.Recoveries, row)
		}
	}
	return page, nil
}
