package staff

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"keyturn/internal/authority"
	"keyturn/internal/brake"
	"keyturn/internal/calendar"
	"keyturn/internal/locale"
	"keyturn/internal/plan"
	"keyturn/internal/rollout"
	"keyturn/internal/twoperson"
)

// board is the page of the rollout.
func (s *Staff) board(r *http.Request, by authority.Bearer) (page RolloutPage, err error) {
	b, there, err := s.Rollout.Board(r.Context(), by)
	if err != nil || !there {
		return page, err
	}
	waiting, err := s.Second.Waiting(r.Context(), by)
	if err != nil {
		return page, err
	}
	proposed := map[int]bool{}
	for _, p := range waiting {
		if n, wrong := strconv.Atoi(p.Payload["wave"]); wrong == nil && p.Kind == twoperson.RollBackWave && p.Subject == string(b.ID) {
			proposed[n] = true
		}
	}
	now := s.DB.Clock.Now()
	page = RolloutPage{
		Tolerance: b.Tolerance,
		There:     true, Draft: b.State == rollout.Draft, Running: b.State == rollout.Running, Paused: b.State == rollout.Paused,
		Name: b.Name, State: rolloutState(b.State), Owner: locale.Say(locale.RolloutOwnerIs, locale.Data{"Who": b.OwnerName}),
		Rest: restWords(b), CanEnd: canEnd(b),
	}
	if page.Paused {
		page.Why = pausedWords(b, now)
	}
	if b.State != rollout.Draft && b.PlacedAt.IsZero() {
		page.Placing = locale.Say(locale.RolloutPlacing)
	}
	sum := total(b)
	if sum.Unlooked > 0 {
		page.Looking = locale.Say(locale.RolloutLooking, locale.Data{"Count": sum.Unlooked})
	}
	page.Totals = totals(b, sum)
	for _, w := range b.Waves {
		page.Waves = append(page.Waves, waveRow(b, w, proposed[w.Number], now))
	}
	page.chart(b)
	page.lists(b, now)
	return page, nil
}

func rolloutState(of rollout.State) string {
	switch of {
	case rollout.Draft:
		return locale.Say(locale.RolloutStateDraft)
	case rollout.Paused:
		return locale.Say(locale.RolloutStatePaused)
	case rollout.Running, rollout.Ended:
	}
	return locale.Say(locale.RolloutStateRunning)
}

func pausedWords(b rollout.Board, now time.Time) string {
	at := locale.Moment(b.PausedAt, time.UTC, now)
	if b.PausedBy == rollout.Brake {
		return locale.Say(locale.RolloutPausedBrake, locale.Data{"At": at})
	}
	return locale.Say(locale.RolloutPausedBy, locale.Data{"At": at, "Who": b.PausedBy})
}

// total is the sum of all waves, and of the sites in none.
func total(b rollout.Board) (sum rollout.Count) {
	for _, c := range b.Counts {
		sum.Sites, sum.Come, sum.ToCome = sum.Sites+c.Sites, sum.Come+c.Come, sum.ToCome+c.ToCome
		sum.Held, sum.Extended, sum.Unproved = sum.Held+c.Held, sum.Extended+c.Extended, sum.Unproved+c.Unproved
		sum.Ready, sum.Manage, sum.Help = sum.Ready+c.Ready, sum.Manage+c.Manage, sum.Help+c.Help
		sum.Unlooked += c.Unlooked
	}
	return sum
}

func canEnd(b rollout.Board) bool {
	if b.State == rollout.Draft || b.PlacedAt.IsZero() {
		return false
	}
	for n, c := range b.Counts {
		if n > 0 && c.Come < c.Sites {
			return false
		}
	}
	return true
}

func totals(b rollout.Board, sum rollout.Count) []Fact {
	all := []Fact{{locale.Say(locale.RolloutSites), strconv.Itoa(sum.Sites)}}
	if b.State != rollout.Draft {
		all = append(all, Fact{locale.Say(locale.RolloutCome), strconv.Itoa(sum.Come)}, Fact{locale.Say(locale.RolloutToCome), strconv.Itoa(sum.ToCome)})
	}
	return append(all, peopleFacts(sum)...)
}

func peopleFacts(c rollout.Count) []Fact {
	return []Fact{
		{locale.Say(locale.RolloutReady), strconv.Itoa(c.Ready)},
		{locale.Say(locale.RolloutManage), strconv.Itoa(c.Manage)},
		{locale.Say(locale.RolloutHelp), strconv.Itoa(c.Help)},
		{locale.Say(locale.RolloutUnproved), strconv.Itoa(c.Unproved)},
	}
}

func restWords(b rollout.Board) string {
	n := b.Counts[0].Sites
	if n == 0 {
		return ""
	}
	return locale.Say(locale.RolloutRest, locale.Data{"Count": n})
}

// waveRow is one wave of the board.
func waveRow(b rollout.Board, w rollout.Wave, proposed bool, now time.Time) WaveRow {
	c := b.Counts[w.Number]
	row := WaveRow{
		Number: w.Number, Name: w.Name, Pick: pickWords(w.Pick), Day: dayWords(w.Day), Look: "manage",
		Facts: []Fact{{locale.Say(locale.RolloutSites), strconv.Itoa(c.Sites)}}, Proposed: proposed,
	}
	row.track(b, w, c, now)
	if b.State == rollout.Draft {
		row.Facts = append(row.Facts, peopleFacts(c)...)
		return row
	}
	row.Look, row.State = waveState(b, w, c)
	row.Facts = append(row.Facts, Fact{locale.Say(locale.RolloutCome), strconv.Itoa(c.Come)}, Fact{locale.Say(locale.RolloutToCome), strconv.Itoa(c.ToCome)})
	row.Facts = append(row.Facts, peopleFacts(c)...)
	path := "/staff/rollout/sites?wave=" + strconv.Itoa(w.Number)
	row.Path = path
	for _, note := range []struct {
		n    int
		only rollout.Only
		key  locale.Key
	}{{c.Held, rollout.OnlyHeld, locale.RolloutHeld}, {c.Extended, rollout.OnlyExtended, locale.RolloutExtended}} {
		if note.n > 0 {
			row.Notes = append(row.Notes, SiteLine{Path: path + "&only=" + string(note.only), Name: locale.Say(note.key, locale.Data{"Count": note.n})})
		}
	}
	row.CanMove = w.State == rollout.Back || c.Come == 0
	row.CanBack = w.State == rollout.Planned && c.Come > 0 && now.Before(c.LastCome.Add(rollout.BackFor))
	return row
}

func waveState(b rollout.Board, w rollout.Wave, c rollout.Count) (look, words string) {
	switch {
	case w.State == rollout.Back:
		return "help", locale.Say(locale.RolloutWaveBack)
	case c.Sites > 0 && c.Come == c.Sites:
		return "ready", locale.Say(locale.RolloutWaveDone)
	case c.Come > 0:
		return "manage", locale.Say(locale.RolloutWaveBegun)
	case b.State == rollout.Paused:
		return "help", locale.Say(locale.RolloutWavePaused)
	}
	return "manage", locale.Say(locale.RolloutWaveComing)
}

// track places a wave between the first and the last day of all.
func (row *WaveRow) track(b rollout.Board, w rollout.Wave, c rollout.Count, now time.Time) {
	const whole, least = 1000, 12
	today := calendar.On(now, time.UTC)
	from, to := b.Waves[0].Day, b.Waves[len(b.Waves)-1].Day
	if !b.BeganAt.IsZero() {
		from = calendar.On(b.BeganAt, time.UTC)
	}
	for _, one := range b.Counts {
		if last := calendar.On(one.Last, time.UTC); !one.Last.IsZero() {
			to = calendar.Later(to, last)
		}
	}
	span := max(1, from.Until(to)+1)
	at := func(d calendar.Day) int { return min(whole, max(0, from.Until(d)*whole/span)) }
	first, last := w.Day, w.Day
	if !c.Last.IsZero() {
		last = calendar.Later(last, calendar.On(c.Last, time.UTC))
	}
	row.Begins = min(at(first), whole-least)
	row.Width = max(least, at(last.Add(1))-row.Begins)
	row.Today = -1
	if d := from.Until(today); d >= 0 && d < span {
		row.Today = at(today)
	}
	row.Track = locale.Say(locale.RolloutTrack, locale.Data{"Wave": w.Name, "Day": row.Day, "Come": c.Come, "Sites": c.Sites})
}

func dayWords(d calendar.Day) string {
	at := time.Date(d.Year, d.Month, d.Day, calendar.MorningHour, 0, 0, 0, time.UTC)
	return locale.Exact(at, time.UTC, at)
}

func pickWords(p rollout.Pick) string {
	switch p.By {
	case rollout.ByList:
		return locale.Say(locale.RolloutByListIs, locale.Data{"Count": len(strings.Fields(p.Value))})
	case rollout.ByRegion:
		return locale.Say(locale.RolloutByRegionIs, locale.Data{"Region": p.Value})
	case rollout.ByManager:
		return locale.Say(locale.RolloutByManagerIs, locale.Data{"Who": p.Value})
	case rollout.ByReadiness:
		return locale.Say(locale.RolloutByReadinessIs, locale.Data{"Share": p.Value})
	case rollout.ByShare:
	}
	return locale.Say(locale.RolloutByShareIs, locale.Data{"Share": p.Value})
}

// chart draws the sign-ins of the last days: two bars a day, as high as their share of all
// who signed in.
func (p *RolloutPage) chart(b rollout.Board) {
	const wide, floor = 36, 62
	bars := func(f rollout.Fared, x int) Bars {
		if f.SignIns == 0 {
			return Bars{X: x}
		}
		one := Bars{X: x, Passed: 60 * f.Passed / f.SignIns, Late: 60 * f.Late / f.SignIns}
		one.Stuck = 60 * f.Stuck / f.SignIns
		one.PassedY = floor - one.Passed
		one.LateY = one.PassedY - one.Late
		one.StuckY = one.LateY - one.Stuck
		return one
	}
	var wave, control rollout.Fared
	for i, day := range b.Days {
		p.Chart = append(p.Chart, ChartDay{X: i * wide, Wave: bars(day.Wave, i*wide+4), Control: bars(day.Control, i*wide+18)})
		name := day.Day
		if d, err := calendar.Parse(day.Day); err == nil {
			name = locale.Day(time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC), time.UTC)
		}
		p.Numbers = append(p.Numbers, DayRow{Day: name, Wave: faredWords(day.Wave), Control: faredWords(day.Control)})
		wave, control = plus(wave, day.Wave), plus(control, day.Control)
	}
	p.ChartWide = max(6, len(b.Days)) * wide
	p.ChartWords = locale.Say(locale.RolloutChartIs, locale.Data{"Wave": faredWords(wave), "Control": faredWords(control)})
}

func plus(a, b rollout.Fared) rollout.Fared {
	return rollout.Fared{
		SignIns: a.SignIns + b.SignIns, Asked: a.Asked + b.Asked, Passed: a.Passed + b.Passed, Late: a.Late + b.Late, Stuck: a.Stuck + b.Stuck,
	}
}

func faredWords(f rollout.Fared) string {
	if f.SignIns == 0 {
		return locale.Say(locale.RolloutFaredNone)
	}
	return locale.Say(locale.RolloutFared, locale.Data{
		"Count": f.SignIns, "Asked": f.Asked, "Passed": f.Passed, "Late": f.Late, "Stuck": f.Stuck,
	})
}

// lists fills in the brake, who is stuck, and the shadow.
func (p *RolloutPage) lists(b rollout.Board, now time.Time) {
	for _, one := range b.Brake {
		w, _ := b.Wave(one.Wave)
		row := BrakeRow{Name: w.Name, Strength: max(3, one.Strength), Words: groupsWords(one.Sites, one.Control)}
		row.Chart = locale.Say(locale.RolloutBrakeAt, locale.Data{"Wave": w.Name, "Share": strconv.Itoa(one.Strength / 10)})
		p.Brake = append(p.Brake, row)
	}
	for _, one := range b.Stops {
		w, _ := b.Wave(one.Wave)
		key := locale.RolloutStopDifference
		if one.Stopped == brake.Level {
			key = locale.RolloutStopLevel
		}
		p.Stops = append(p.Stops, locale.Say(key, locale.Data{
			"At": locale.Moment(one.At, time.UTC, now), "Wave": w.Name, "How": groupsWords(one.Sites, one.Control),
		}))
	}
	for _, one := range b.Stuck {
		p.Stuck = append(p.Stuck, SiteLine{
			Path: rolloutSitePath(one.Site), Name: one.Name, Words: locale.Say(locale.RolloutStuckSince, locale.Data{"At": locale.Moment(one.Of.At, one.Zone, now)}),
		})
	}
	p.Shadow = shadowWords(b.Shadow)
	for _, one := range b.Would {
		p.Would = append(p.Would, SiteLine{Path: rolloutSitePath(one.Site), Name: one.Name, Words: shadowWords(one.Of)})
	}
}

func groupsWords(sites, control brake.Group) string {
	return locale.Say(locale.RolloutGroups, locale.Data{
		"Failed": sites.Failed, "Of": sites.SignIns, "ControlFailed": control.Failed, "ControlOf": control.SignIns,
	})
}

func shadowWords(r plan.Rehearsal) string {
	if r.People == 0 {
		return locale.Say(locale.RolloutShadowNone)
	}
	return locale.Say(locale.RolloutShadowIs, locale.Data{"Count": r.People, "Asked": r.Asked, "Stuck": r.Stuck})
}
