package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"keyturn/internal/authority"
	"keyturn/internal/check"
	"keyturn/internal/connect"
	"keyturn/internal/console"
	"keyturn/internal/db"
	"keyturn/internal/enrol"
	"keyturn/internal/evidence"
	"keyturn/internal/fault"
	"keyturn/internal/job"
	"keyturn/internal/login"
	"keyturn/internal/member"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/oidc"
	"keyturn/internal/outward"
	"keyturn/internal/password"
	"keyturn/internal/policy"
	"keyturn/internal/prepare"
	"keyturn/internal/readiness"
	"keyturn/internal/request"
	"keyturn/internal/rescue"
	"keyturn/internal/rollout"
	"keyturn/internal/setup"
	"keyturn/internal/sharing"
	"keyturn/internal/signin"
	"keyturn/internal/standing"
	"keyturn/internal/trail"
	"keyturn/internal/twoperson"
	"keyturn/internal/user"
	"keyturn/internal/web/paper"
	"keyturn/internal/webhook"
)

// flows are the parts that do the work, behind the pages. Those of one rank never import
// each other: what one needs of another is handed over here, as a function.
type flows struct {
	post    *message.Post
	facts   standing.Source
	desk    *signin.Desk
	enrol   *enrol.Desk
	rescue  *rescue.Desk
	request *request.Desk
	sharing *sharing.Desk
	login   *login.Desk
	members *member.Desk
	setup   *setup.Desk
	connect *connect.Desk
	console *console.Desk
	prepare *prepare.Desk
	second  *twoperson.Desk
	trail   *trail.Desk
	rollout *rollout.Desk
	// check says how sessions stand; apps carries them to applications.
	check *check.Checker
	apps  *oidc.Desk
	// evidence asks for shared logins where they are looked for.
	evidence *evidence.Desk
	webhook  *webhook.Desk
	numbers  metrics
}

func newFlows(p Parts) (*flows, error) {
	slots := &password.Slots{Size: p.HashSlots}
	f := &flows{post: &message.Post{DB: p.DB, Keys: p.Keys}, numbers: newMetrics(slots)}
	f.facts = standing.Source{SMS: p.Carriers.Texts != nil, Countries: p.Countries}
	passkeys, err := method.NewPasskeys(p.DB, p.PublicURL, p.Vendor.Name)
	if err != nil {
		return nil, err
	}
	f.desk = &signin.Desk{
		DB: p.DB, Keys: p.Keys, Post: f.post, Passkeys: passkeys, Count: f.numbers.count,
		Slots: slots, Floor: &password.Floor{}, Pace: &password.Floor{},
		CodeLife: p.CodeLife, VendorName: p.Vendor.Name,
	}
	if p.Watch != nil {
		f.facts.Channel = func(kind policy.MethodKind) policy.Health { return channel(p, kind) }
		f.desk.Weather = p.Watch.Now
	}
	f.desk.Standing = f.facts
	f.check = &check.Checker{DB: p.DB, Standing: f.facts, Log: p.Log}
	way := outward.NewWay(p.PublicURL, outward.DNS, nil)
	f.apps = &oidc.Desk{
		DB: p.DB, Keys: p.Keys, Check: f.check, Standing: f.facts, Log: p.Log,
		Issuer: strings.TrimSuffix(p.PublicURL.String(), "/"), Way: way,
	}
	f.rescue = &rescue.Desk{
		DB: p.DB, Keys: p.Keys, Post: f.post, Slots: slots, Pace: f.desk.Pace, VendorName: p.Vendor.Name,
		Standing: f.facts, OpenEnrol: f.desk.OpenEnrol, ShutEnrols: f.desk.ShutEnrols, BeginEnrol: f.desk.BeginEnrol,
	}
	f.enrol = &enrol.Desk{
		DB: p.DB, Keys: p.Keys, Post: f.post, Standing: f.facts, Passkeys: passkeys, Slots: slots,
		Countries: p.Countries, VendorName: p.Vendor.Name, CodeLife: p.CodeLife,
		EndEnrol: f.desk.EndEnrol, Enrolling: f.desk.Enrols, Enrolled: f.rescue.StaffEnrolled,
		Unfit: func(ctx context.Context, plain string, who user.User) (string, error) {
			why, err := f.rescue.JudgeFor(ctx, plain, who)
			return string(why), err
		},
	}
	f.request = &request.Desk{
		DB: p.DB, Post: f.post, Standing: f.facts, Countries: p.Countries, Slots: slots, VendorName: p.Vendor.Name,
		Unfit: func(plain string, who user.User) string { return string(f.rescue.Judge(plain, who)) },
	}
	f.request.Knows, f.rescue.Invited = f.desk.Knows, f.request.Invited
	f.setup = &setup.Desk{DB: p.DB, Post: f.post, Standing: f.facts}
	speaks, err := p.Xero.client(p.DB, p.PublicURL)
	if err != nil {
		return nil, err
	}
	f.connect = &connect.Desk{DB: p.DB, Keys: p.Keys, Post: f.post, Standing: f.facts, Xero: speaks, Every: p.Xero.Every}
	f.trail = &trail.Desk{
		DB: p.DB, Keys: p.Keys, Post: f.post, Standing: f.facts, Folder: p.Checkpoints, KeepDays: p.AuditKeep,
	}
	f.desk.Joined = f.enrol.Join
	f.sharing = &sharing.Desk{DB: p.DB, Post: f.post, Standing: f.facts, Countries: p.Countries}
	f.sharing.Ask = f.askFor
	f.desk.Crossed = sharing.Noticed
	f.login = &login.Desk{DB: p.DB, Post: f.post, VendorName: p.Vendor.Name, Invite: f.rescue.InviteFirst}
	f.enrol.Login, f.enrol.DeadDomain = f.login, p.Domains.Dead
	f.members = &member.Desk{
		DB: p.DB, Post: f.post, Standing: f.facts, Login: f.login, Domains: p.Domains, Countries: p.Countries,
		VendorName: p.Vendor.Name, Invite: f.rescue.InviteFirst, EndGiven: f.rescue.EndGivenBy,
	}
	f.console = &console.Desk{DB: p.DB, Post: f.post, Standing: f.facts}
	f.prepare = &prepare.Desk{
		DB: p.DB, Keys: p.Keys, Post: f.post, Ready: readiness.Source{Standing: f.facts}, VendorName: p.Vendor.Name,
	}
	f.rollout = &rollout.Desk{DB: p.DB, Post: f.post, Standing: f.facts, Unhealthy: unhealthy(p)}
	f.connect.Await = f.rollout.Await
	f.evidence = &evidence.Desk{
		DB: p.DB, Keys: p.Keys, Vendor: p.Vendor.Name, Version: p.Version, KeepDays: p.AuditKeep,
		Readiness: readiness.Source{Standing: f.facts}, Shared: sharing.Open, Page: paper.Page, Extended: rollout.ExtendedWhy, Gated: rollout.Gated,
	}
	f.webhook = &webhook.Desk{
		DB: p.DB, Keys: p.Keys, Post: f.post, Standing: f.facts, Log: p.Log, Way: way,
	}
	f.second = &twoperson.Desk{DB: p.DB, Standing: f.facts, Acts: f.acts()}
	return f, f.work(p)
}

// askFor asks the account manager for one of the people who shared a login. Whoever is a
// member already, or asked for already, needs no request.
func (f *flows) askFor(ctx context.Context, tx *db.Tx, by authority.Bearer, who sharing.NewPerson) (string, error) {
	answer, err := f.request.AskIn(ctx, tx, by, request.Form{
		FirstName: who.First, LastName: who.Last, Email: who.Email, Mobile: who.Mobile, Group: who.Group, Kind: policy.Office, Sure: true,
	})
	switch {
	case err != nil:
		return "", err
	case len(answer.Wrong) > 0, answer.Refused == request.NotFresh, answer.Refused == request.TooMany:
		return "", fmt.Errorf("ask for somebody who shared a login: %w", fault.Conflict)
	}
	return string(answer.Request), nil
}

// work registers what is done aside, and makes the queue.
func (f *flows) work(p Parts) (err error) {
	work := job.NewWork()
	f.apps.Workers(work)
	f.post.Workers(work, p.Carriers)
	f.rescue.Workers(work)
	f.rollout.Workers(work)
	f.webhook.Workers(work)
	work.Every(time.Minute, func() job.Args { return rollout.Job{} })
	job.On(work, func(ctx context.Context, _ sweepJob) error { return f.sweepAll(ctx, p.DB) })
	work.Every(time.Minute, func() job.Args { return sweepJob{} })
	job.On(work, func(ctx context.Context, _ signin.SkippedJob) error { return f.desk.RecordSkipped(ctx, 200) })
	work.Every(10*time.Minute, func() job.Args { return signin.SkippedJob{} })
	job.On(work, func(ctx context.Context, _ trailJob) error { return f.keepTrail(ctx) })
	work.Every(10*time.Minute, func() job.Args { return trailJob{} })
	job.On(work, func(ctx context.Context, _ canaryJob) error { return p.Canaries.send(ctx, p.DB) })
	if len(p.Canaries.Relays) > 0 {
		work.Every(canaryEvery, func() job.Args { return canaryJob{} })
	}
	job.On(work, func(ctx context.Context, _ connect.LookJob) error { return f.connect.Look(ctx) })
	if f.connect.Xero != nil {
		work.Every(connect.LookEvery, func() job.Args { return connect.LookJob{} })
	}
	if f.post.Jobs, err = job.New(p.DB, work, p.Node, p.Log); err != nil {
		return err
	}
	f.rescue.Jobs, f.rollout.Jobs, f.apps.Jobs = f.post.Jobs, f.post.Jobs, f.post.Jobs
	return nil
}

// channel says how a channel delivers now.
func channel(p Parts, kind policy.MethodKind) policy.Health {
	w, measured := p.Watch.Now().Channels[string(kind)]
	switch {
	case !measured:
		return policy.HealthUnknown
	case w.Down:
		return policy.HealthRefused
	case w.Slow:
		return policy.HealthDelayed
	}
	return policy.HealthGood
}
