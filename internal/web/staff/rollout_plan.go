package staff

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"

	"keyturn/internal/authority"
	"keyturn/internal/calendar"
	"keyturn/internal/locale"
	"keyturn/internal/rollout"
	"keyturn/internal/web"
)

// spareWaves is how many empty waves a form has beside those that are there.
const spareWaves = 2

// RolloutPlan answers "GET /staff/rollout/plan".
func (s *Staff) RolloutPlan() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		b, there, err := s.Rollout.Board(r.Context(), by)
		if err != nil {
			return err
		}
		if there && b.State != rollout.Draft {
			return web.Go(w, r, "/staff/rollout")
		}
		o := rollout.Order{Name: b.Name, Owner: string(by.User.Login), Tolerance: b.Tolerance, Waves: b.Waves}
		if !there {
			o = s.firstOrder(by)
		}
		return s.Kit.Show(w, r, http.StatusOK, planPage(o))
	})
}

// firstOrder is what is suggested: a tenth, half of the others, the rest, each two weeks
// after the one before, on Tuesdays, the first after 30 days of mails.
func (s *Staff) firstOrder(by authority.Bearer) rollout.Order {
	day := calendar.Usual(calendar.On(s.DB.Clock.Now(), time.UTC).Add(30), calendar.Tuesday)
	o := rollout.Order{Name: locale.Say(locale.RolloutFirstName), Owner: string(by.User.Login)}
	for i, share := range []string{"10", "50", "100"} {
		o.Waves = append(o.Waves, rollout.Wave{
			Name: locale.Say(locale.RolloutWaveNr, locale.Data{"Nr": strconv.Itoa(i + 1)}),
			Pick: rollout.Pick{By: rollout.ByShare, Value: share}, Day: day.Add(14 * i),
		})
	}
	return o
}

func planPage(o rollout.Order) RolloutPlanPage {
	page := RolloutPlanPage{Name: o.Name, Owner: o.Owner, Tolerance: strconv.Itoa(cmp.Or(o.Tolerance, rollout.UsualTolerance))}
	for len(o.Waves) < rollout.MostWaves && spare(o.Waves) < spareWaves {
		o.Waves = append(o.Waves, rollout.Wave{Pick: rollout.Pick{By: rollout.ByShare}})
	}
	for i, w := range o.Waves {
		one := WaveForm{
			Number: i + 1, Title: locale.Say(locale.RolloutWaveNr, locale.Data{"Nr": strconv.Itoa(i + 1)}),
			Name: w.Name, Pick: string(w.Pick.By), Value: w.Pick.Value, Day: w.Day.String(),
		}
		for _, p := range []struct {
			by  rollout.PickBy
			key locale.Key
		}{
			{rollout.ByShare, locale.RolloutByShare},
			{rollout.ByRegion, locale.RolloutByRegion},
			{rollout.ByManager, locale.RolloutByManager},
			{rollout.ByReadiness, locale.RolloutByReadiness},
			{rollout.ByList, locale.RolloutByList},
		} {
			one.Picks = append(one.Picks, Choice{Value: string(p.by), Words: locale.Say(p.key), On: p.by == w.Pick.By})
		}
		page.Waves = append(page.Waves, one)
	}
	return page
}

// spare counts the waves at the end in which nothing is typed.
func spare(waves []rollout.Wave) (n int) {
	for i := len(waves) - 1; i >= 0 && blank(waves[i]); i-- {
		n++
	}
	return n
}

func blank(w rollout.Wave) bool { return w.Name == "" && w.Pick.Value == "" && w.Day.IsZero() }

// SavePlan answers "POST /staff/rollout/plan".
func (s *Staff) SavePlan() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		o := rollout.Order{Name: form.Get("name"), Owner: form.Get("owner")}
		if typed := form.Get("tolerance"); typed != "" {
			if o.Tolerance, err = strconv.Atoi(typed); err != nil || o.Tolerance == 0 {
				o.Tolerance = -1 // which no brake may have
			}
		}
		for n := 1; n <= rollout.MostWaves; n++ {
			nr := strconv.Itoa(n)
			day, wrong := calendar.Parse(form.Get("day-" + nr))
			if wrong != nil {
				day = calendar.Day{} // which no wave may have
			}
			one := rollout.Wave{
				Name: form.Get("name-" + nr), Day: day,
				Pick: rollout.Pick{By: rollout.PickBy(form.Get("pick-" + nr)), Value: form.Get("value-" + nr)},
			}
			if !blank(one) {
				o.Waves = append(o.Waves, one)
			}
		}
		refused, err := s.Rollout.Save(r.Context(), rollout.By{Staff: by}, o)
		if err != nil {
			return err
		}
		if refused == "" {
			return web.Go(w, r, "/staff/rollout?did=saved")
		}
		page := planPage(o)
		if form.Ticked("tolerance") {
			page.Tolerance = form.Get("tolerance")
		}
		page.Fault = rolloutFault(refused)
		if refused == rollout.NoSuchSite {
			strange, err := rollout.Strangers(r.Context(), s.DB, o.Waves)
			if err != nil {
				return err
			}
			page.Fault = locale.Say(locale.RolloutFaultListed, locale.Data{
				"Count": len(strange), "Refs": strings.Join(strange[:min(len(strange), 10)], ", "),
			})
		}
		return s.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
	})
}
