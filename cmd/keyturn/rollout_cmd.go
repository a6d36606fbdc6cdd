package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/calendar"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/job"
	"keyturn/internal/message"
	"keyturn/internal/rollout"
	"keyturn/internal/standing"
	"keyturn/internal/twoperson"
	"keyturn/internal/user"
)

type rolloutCmd struct {
	Plan     rolloutPlan   `cmd:"" help:"Store the draft of a rollout from a file, and say what its waves would pick. It changes nothing at any site."`
	Start    rolloutStart  `cmd:"" help:"Propose to start the draft; another member of staff confirms it at /staff."`
	Pause    rolloutPause  `cmd:"" help:"Take out every date to come. Sites that are asked already stay so."`
	Resume   rolloutResume `cmd:"" help:"Give back the dates that a pause or the brake took out."`
	Rollback rolloutBack   `cmd:"" help:"Propose to return a wave to preparing; another member of staff confirms it at /staff."`
	Status   rolloutStatus `cmd:"" help:"Say how the rollout stands."`
}

// planFile is the file of a plan: docs/rollout.md describes it.
type planFile struct {
	Name  string `json:"name"`
	Owner string `json:"owner"`
	// Tolerance is the brake's; absent: the usual one.
	Tolerance *int `json:"tolerance"`
	Waves     []struct {
		Name  string `json:"name"`
		Pick  string `json:"pick"`
		Value string `json:"value"`
		Day   string `json:"day"`
	} `json:"waves"`
}

type rolloutPlan struct {
	File string `arg:"" help:"The plan, as JSON." type:"existingfile"`
	JSON bool   `help:"Print what the waves would pick as one line of JSON."`
}

// Run implements the command.
func (c rolloutPlan) Run(w *world) error {
	o, err := readPlan(c.File)
	if err != nil {
		return err
	}
	return w.rolling(func(desk *rollout.Desk, d *db.DB) error {
		refused, err := desk.Save(w.ctx, operator(), o)
		if err != nil {
			return err
		}
		if refused != "" {
			words := planFault(refused)
			if refused == rollout.NoSuchSite {
				strange, err := rollout.Strangers(w.ctx, d, o.Waves)
				if err != nil {
					return err
				}
				words += fmt.Sprintf(": %q", strange[:min(len(strange), 10)])
			}
			return errors.Join(errUsage, fmt.Errorf("%s: %w", words, fault.Invalid))
		}
		say := w.progress("looked at", "sites")
		err = desk.Look(w.ctx, func(n int) {
			if say != nil {
				say(int64(n))
			}
		})
		w.progressEnd()
		if err != nil {
			return err
		}
		return printRollout(w, desk, c.JSON)
	})
}

func readPlan(path string) (o rollout.Order, err error) {
	raw, err := os.Open(path) //nolint:gosec // the file that the operator named
	if err != nil {
		return o, fmt.Errorf("open the plan: %w", err)
	}
	defer func() { _ = raw.Close() }()
	var file planFile
	read := json.NewDecoder(raw)
	read.DisallowUnknownFields()
	if err := read.Decode(&file); err != nil {
		return o, errors.Join(errUsage, fmt.Errorf("the plan cannot be read: %w", err))
	}
	o.Name, o.Owner = file.Name, file.Owner
	if file.Tolerance != nil {
		if o.Tolerance = *file.Tolerance; o.Tolerance == 0 {
			o.Tolerance = -1 // absent is the usual one, and no number turns the brake off
		}
	}
	for _, one := range file.Waves {
		d, err := calendar.Parse(one.Day)
		if err != nil {
			return o, errors.Join(errUsage, fmt.Errorf("the wave %q: %w", one.Name, err))
		}
		o.Waves = append(o.Waves, rollout.Wave{Name: one.Name, Day: d, Pick: rollout.Pick{By: rollout.PickBy(one.Pick), Value: one.Value}})
	}
	return o, nil
}

// operator is whoever is at the machine.
func operator() rollout.By { return rollout.By{Command: by(), Name: by().ID} }

// rolling runs something with a desk.
func (w *world) rolling(do func(*rollout.Desk, *db.DB) error) (err error) {
	c, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
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
	return do(&rollout.Desk{
		DB: d, Post: &message.Post{DB: d, Keys: keys, Jobs: jobs}, Jobs: jobs,
		Standing: standing.Source{SMS: c.SMSURL.Reveal() != "", Countries: c.SMSCountries},
	}, d)
}

type rolloutStart struct {
	As string `required:"" help:"Which member of staff you are, by your login name: you cannot confirm it." placeholder:"EMAIL"`
}

// Run implements the command.
func (c rolloutStart) Run(w *world) error {
	return w.rolling(func(_ *rollout.Desk, d *db.DB) error {
		r, there, err := rollout.Live(w.ctx, d)
		if err != nil {
			return err
		}
		ok := false
		if there {
			if ok, err = rollout.MayStart(w.ctx, d, d.Clock.Now(), r.ID, r.Digest()); err != nil {
				return err
			}
		}
		if !ok {
			return fmt.Errorf("there is no draft whose first day is two days off or more; keyturn rollout status says what there is: %w", fault.Conflict)
		}
		return propose(w, d, c.As, twoperson.Proposal{
			Kind: twoperson.StartRollout, Subject: string(r.ID), Payload: map[string]string{"name": r.Name, "plan": r.Digest()},
		})
	})
}

type rolloutBack struct {
	Wave   int    `arg:"" help:"The number of the wave."`
	As     string `required:"" help:"Which member of staff you are, by your login name: you cannot confirm it." placeholder:"EMAIL"`
	Reason string `required:"" help:"Why, in 10 to 300 characters. The second person reads it."`
}

// Run implements the command.
func (c rolloutBack) Run(w *world) error {
	if !rollout.Reasonable(c.Reason) {
		return errors.Join(errUsage, fmt.Errorf("the reason has 10 to 300 characters: %w", fault.Invalid))
	}
	return w.rolling(func(_ *rollout.Desk, d *db.DB) error {
		r, there, err := rollout.Live(w.ctx, d)
		if err != nil {
			return err
		}
		ok := false
		if there {
			if ok, err = rollout.MayRollBack(w.ctx, d, d.Clock.Now(), r.ID, c.Wave); err != nil {
				return err
			}
		}
		if !ok {
			return fmt.Errorf("this wave did not begin within the last seven days: %w", fault.Conflict)
		}
		which, _ := r.Wave(c.Wave)
		return propose(w, d, c.As, twoperson.Proposal{
			Kind: twoperson.RollBackWave, Subject: string(r.ID),
			Payload: map[string]string{"wave": strconv.Itoa(c.Wave), "name": which.Name, "reason": c.Reason},
		})
	})
}

// propose stores a proposal of whoever is at the machine.
func propose(w *world, d *db.DB, as string, p twoperson.Proposal) error {
	login, err := address.Login(as)
	if err != nil {
		return errors.Join(errUsage, err)
	}
	who, err := user.ByLogin(w.ctx, d, login)
	if err == nil {
		var which id.Proposal
		var refused twoperson.Refused
		which, refused, err = (&twoperson.Desk{DB: d}).ProposeAs(w.ctx, by(), who.ID, p)
		if err == nil && refused != "" {
			return fmt.Errorf("the same is proposed already; confirm or cancel it at /staff: %w", fault.Conflict)
		}
		if err == nil {
			_, err = fmt.Fprintf(w.out, "proposed, and nothing is done yet: another member of staff than %s confirms it at /staff within 24 hours (%s)\n", as, which)
			return err
		}
	}
	if errors.Is(err, fault.NotFound) {
		return fmt.Errorf("nobody of the staff signs in as %s: %w", as, fault.NotFound)
	}
	return err
}

type rolloutPause struct{}

// Run implements the command.
func (rolloutPause) Run(w *world) error {
	return w.rolling(func(desk *rollout.Desk, _ *db.DB) error {
		refused, err := desk.Pause(w.ctx, operator())
		return done(w, refused, err, "paused: no date comes; sites that are asked already stay so")
	})
}

type rolloutResume struct{}

// Run implements the command.
func (rolloutResume) Run(w *world) error {
	return w.rolling(func(desk *rollout.Desk, _ *db.DB) error {
		refused, err := desk.Resume(w.ctx, operator())
		return done(w, refused, err, "resumed: keyturn serve gives the sites their dates back")
	})
}

func done(w *world, refused rollout.Refused, err error, words string) error {
	if err != nil {
		return err
	}
	if refused != "" {
		return fmt.Errorf("the rollout is not in a state in which that can be done; keyturn rollout status says which: %w", fault.Conflict)
	}
	_, err = fmt.Fprintln(w.out, words)
	return err
}

// planFault says what is wrong with a plan.
func planFault(refused rollout.Refused) string {
	return map[rollout.Refused]string{
		rollout.Busy: "there is a rollout that has not ended", rollout.NoName: "the name has 1 to 80 characters",
		rollout.NoOwner: "the owner is no member of staff yet: keyturn staff add makes one, who then types the code at /staff/enrol", rollout.NoWaves: "a plan has 1 to 20 waves",
		rollout.WrongPick:      `a wave picks by list, region, manager, share or readiness, with a value that fits (see docs/rollout.md)`,
		rollout.NoSuchSite:     "the list of a wave names what is no site's reference",
		rollout.WrongTolerance: "the tolerance of the brake is a whole number from 1 to 10",
		rollout.WrongDay:       "the first day is two days off or more, and each later one comes after the one before",
		rollout.BadDay:         "no wave begins on a Friday or at a weekend",
		rollout.WrongState:     "somebody else changed it at the same time; run it again",
	}[refused]
}

type rolloutStatus struct {
	JSON bool `help:"One line of JSON."`
}

// Run implements the command.
func (c rolloutStatus) Run(w *world) error {
	return w.rolling(func(desk *rollout.Desk, _ *db.DB) error { return printRollout(w, desk, c.JSON) })
}

// rolloutLine is what a script reads of a rollout.
type rolloutLine struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	State     string     `json:"state"`
	Owner     string     `json:"owner"`
	BeganAt   *time.Time `json:"began_at,omitempty"`
	PausedBy  string     `json:"paused_by,omitempty"`
	PausedWhy string     `json:"paused_why,omitempty"`
	Waves     []waveLine `json:"waves"`
	NoWave    int        `json:"sites_in_no_wave"`
}

type waveLine struct {
	Wave     int    `json:"wave"`
	Name     string `json:"name"`
	Day      string `json:"day"`
	State    string `json:"state"`
	Sites    int    `json:"sites"`
	Asked    int    `json:"asked"`
	ToCome   int    `json:"to_come"`
	Held     int    `json:"held_back"`
	Extended int    `json:"extended"`
	Unproved int    `json:"no_proved_admin"`
	Ready    int    `json:"people_ready"`
	Manage   int    `json:"people_will_manage"`
	Help     int    `json:"people_need_help"`
}

func printRollout(w *world, desk *rollout.Desk, asJSON bool) error {
	b, there, err := desk.Status(w.ctx)
	if err != nil {
		return err
	}
	if !there {
		if asJSON {
			return json.NewEncoder(w.out).Encode(struct{}{})
		}
		_, err := fmt.Fprintln(w.out, "there is no rollout: a site is asked for 2FA from the moment it connects to Xero")
		return err
	}
	line := rolloutLine{
		ID: string(b.ID), Name: b.Name, State: string(b.State), Owner: b.OwnerName, NoWave: b.Counts[0].Sites, Waves: []waveLine{},
	}
	if !b.BeganAt.IsZero() {
		line.BeganAt = &b.BeganAt
	}
	if b.State == rollout.Paused {
		line.PausedBy, line.PausedWhy = b.PausedBy, b.PausedWhy
	}
	for _, one := range b.Waves {
		c := b.Counts[one.Number]
		line.Waves = append(line.Waves, waveLine{
			Wave: one.Number, Name: one.Name, Day: one.Day.String(), State: string(one.State), Sites: c.Sites, Asked: c.Come, ToCome: c.ToCome,
			Held: c.Held, Extended: c.Extended, Unproved: c.Unproved, Ready: c.Ready, Manage: c.Manage, Help: c.Help,
		})
	}
	if asJSON {
		return json.NewEncoder(w.out).Encode(line)
	}
	return line.table(w)
}

func (l rolloutLine) table(w *world) error {
	_, _ = fmt.Fprintf(w.out, "%s: %s, run by %s\n", l.Name, l.State, l.Owner)
	if l.PausedBy != "" {
		_, _ = fmt.Fprintf(w.out, "paused by %s %s\n", l.PausedBy, l.PausedWhy)
	}
	table := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "WAVE\tNAME\tDAY\tSITES\tASKED\tTO COME\tHELD\tNO PROVED ADMIN\tREADY\tWILL MANAGE\tNEED HELP")
	for _, v := range l.Waves {
		_, _ = fmt.Fprintf(table, "%d\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n",
			v.Wave, v.Name, v.Day, v.Sites, v.Asked, v.ToCome, v.Held, v.Unproved, v.Ready, v.Manage, v.Help)
	}
	if l.NoWave > 0 {
		_, _ = fmt.Fprintf(table, "0\tin no wave\t\t%d\t\t\t\t\t\t\t\n", l.NoWave)
	}
	return table.Flush()
}
