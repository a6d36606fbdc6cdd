package settings_test

import (
	"testing"

	"keyturn/internal/locale"
	"keyturn/internal/web/me"
	"keyturn/internal/web/settings"
	"keyturn/internal/web/webtest"
)

func TestThePageOfReadinessHasOneButtonForEachPerson(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, settings.Face(), me.Face())
	const path = "/sites/s/settings"
	page := settings.ReadinessPage{
		Site: "Bayside Auto", Path: path, Sum: locale.Rich(locale.ReadinessSumDate, locale.Data{"Ready": 1, "Office": 4}), Office: 4,
		Bar:  settings.Shares{Ready: 25, Manage: 50, ManageFrom: 25, Help: 25, HelpFrom: 75, ReadyN: 1, ManageN: 2, HelpN: 1},
		When: "2FA is asked from Tue 8 Dec, 4:00 am, in 9 days.", HasDate: true, Lone: true, Remindable: 1,
		Groups: []settings.ReadyGroup{
			{Look: "help", Title: "1 needs help", Count: 1, People: []settings.ReadyPerson{
				{ID: "u1", Name: "Wade", Lacks: []string{"Their email takes no mail."}, Fix: path + "/users/u1", FixWords: "Put the email right"},
			}},
			{Look: "manage", Title: "2 will manage", Count: 2, People: []settings.ReadyPerson{
				{ID: "u2", Name: "Kim", CanRemind: true}, {ID: "u3", Name: "Lee", Ask: true},
			}},
			{Look: "ready", Title: "1 ready", Count: 1, People: []settings.ReadyPerson{{ID: "u4", Name: "Pat"}}},
		},
	}
	shown := webtest.Show(t, kit, "readiness", page)
	shown.Sees("1 of 4", "in 9 days", "Wade", "Their email takes no mail.", "Put the email right", "Remind 1 person", "Ask your account manager")
	shown.Has(`href="/sites/s/settings/readiness.ics"`, `name="user" value="u2"`, `href="/sites/s/settings/users/u1"`, `href="/help/admins#readiness"`)
	shown.Hides("value=\"u4\"")

	shown.Hides("What real sign-ins say")
	page.Rehearsed = settings.Rehearsed{Sum: "3 people signed in", Stuck: []settings.RehearsedPerson{
		{Name: "Wade", At: "today, 9:02 am", Look: "help", Mark: "Needs help", Lack: "Their email takes no mail.", Path: path + "/users/u1"},
	}}
	webtest.Show(t, kit, "readiness-rehearsed", page).Sees("3 people signed in", "Would have been stopped: today, 9:02 am", "Now: Needs help")

	page.HasDate, page.When, page.Groups, page.Remindable = false, "", nil, 0
	webtest.Show(t, kit, "readiness-bare", page).Hides("Calendar file", "Remind")
}

func TestThePosterHasThreeStepsAndNamesNobodyElse(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, settings.Face(), me.Face())
	webtest.Show(t, kit, "poster", settings.PosterPage{
		Site: "Bayside Auto", Path: "/sites/s/settings", Day: "From Tue 8 Dec, 4:00 am", Ask: "Questions? Ask Pat.",
	}).Sees("Bayside Auto", "From Tue 8 Dec, 4:00 am", "Check your email", "Try it", "Have a second way", "Questions? Ask Pat.")
}
