package webhook_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"keyturn/internal/audit"
)

// untold are the kinds of events that no receiver is told of, and what speaks against it. A
// new kind is told or stands here: whoever adds it decides.
var untold = []struct {
	why   string
	kinds []audit.Kind
}{
	{"a step of one sign-in: there is one at every click, and the product that is signed in to learns the end of it", []audit.Kind{
		audit.AttemptStarted, audit.PasswordRehashed, audit.SignInAsked, audit.CodeSent, audit.CodeReplaced, audit.CodeAccepted,
		audit.SessionStarted, audit.SessionRaised, audit.SessionLocked, audit.SessionResumed, audit.SessionEnded, audit.SiteEntered,
		audit.ProofPassed, audit.RehearsalPassed, audit.RecoveryCodeUsed, audit.HelpCodeUsed, audit.EnrolOpened, audit.ClientEntered,
	}},
	{"a guess: told to a receiver, it would tell a guesser's friend how far the guesser is", []audit.Kind{
		audit.PasswordWrong, audit.TriesUnevaluated, audit.CodeStale, audit.CodeWrong, audit.MethodRested, audit.HelpCodeWrong,
	}},
	{"the person's own business, of which the person is told", []audit.Kind{
		audit.MethodLinked, audit.MethodRenamed, audit.UsualChanged, audit.DeviceRemembered, audit.DeviceForgotten, audit.PasswordChanged,
		audit.ResetAsked, audit.PasswordReset, audit.ResetMarkCleared, audit.SessionsEnded, audit.TestCodeSent, audit.TestCodeTyped,
	}},
	{"a way out of trouble under way: its end is told as a method added, and its steps are for those who help", []audit.Kind{
		audit.HelpAsked, audit.HelpApproved, audit.HelpDeclined, audit.RecoveryBegun, audit.RecoveryConfirmed, audit.RecoveryContested,
		audit.RecoveryDecided, audit.RecoveryRefused, audit.RecoveryDone,
	}},
	{"delivery, of which the site's Admins and the console speak", []audit.Kind{
		audit.MessageRefused, audit.MessageUndelivered, audit.MethodBounced, audit.SMSToppedUp, audit.SMSCharged, audit.SMSBurst,
	}},
	{"the vendor's own staff at work", []audit.Kind{
		audit.StaffAdded, audit.StaffEnrolled, audit.StaffConfirmed, audit.StaffViewed, audit.StaffOpened, audit.StaffNoted, audit.StaffReminded,
		audit.StaffEnded, audit.StaffContactChanged, audit.ProposalMade, audit.ProposalConfirmed, audit.ProposalCancelled, audit.MembersReminded,
	}},
	{"a request that is on its way: what comes of it is told as a member added", []audit.Kind{
		audit.RequestMade, audit.RequestApproved, audit.RequestDeclined, audit.RequestWithdrawn, audit.RequestExpired,
		audit.InvitationSent, audit.UserInvited,
	}},
	{"a shared login that is being looked into: what comes of it is told as a member retired or added", []audit.Kind{
		audit.SharingDismissed, audit.SplitPlanned, audit.SplitAnnounced, audit.SplitCancelled, audit.SplitHeld, audit.SplitNeedless,
	}},
	{"the link to Xero itself: that a site is connected, or no more, is told", []audit.Kind{
		audit.XeroAsked, audit.XeroLinked, audit.XeroRefused, audit.XeroFailing, audit.XeroHealed, audit.XeroTokenGiven, audit.XeroReported,
		audit.XeroUnlinked,
	}},
	{"done by whoever runs the product, or by the product that would be told", []audit.Kind{
		audit.SiteAdded, audit.UserImported, audit.MembershipImported, audit.ImportDone, audit.RolloutPlanned, audit.RolloutSiteClosed,
		audit.APIKeyMade, audit.APIKeyEnded, audit.ClientMade, audit.ClientDisabled, audit.ClientSecretChanged, audit.ClientTokensEnded,
		audit.SigningKeysRotated, audit.AuditPruned, audit.AuditExported, audit.AuditErased, audit.EvidenceMade,
	}},
	{"of webhooks themselves: each would make the next", []audit.Kind{
		audit.WebhookAdded, audit.WebhookChanged, audit.WebhookRotated, audit.WebhookOff, audit.WebhookOn, audit.WebhookReplayed, audit.WebhookEnded,
	}},
}

func TestEveryKindOfEventIsToldOrHasItsReasonNotToBe(t *testing.T) {
	t.Parallel()
	all, seen := kinds(t), map[audit.Kind]bool{}
	for _, k := range audit.Told() {
		seen[k] = true
	}
	for _, one := range untold {
		for _, k := range one.kinds {
			if seen[k] {
				t.Errorf("%s is told, or stands here twice", k)
			}
			seen[k] = true
		}
	}
	for _, k := range all {
		if !seen[k] {
			t.Errorf("%s is neither told nor among those that are not", k)
		}
	}
	if len(seen) != len(all) {
		t.Errorf("%d kinds are spoken of, of %d", len(seen), len(all))
	}
}

// kinds are those that the audit trail names, as its source has them.
func kinds(t *testing.T) (all []audit.Kind) {
	t.Helper()
	const at = "../audit/kind.go"
	file, err := parser.ParseFile(token.NewFileSet(), at, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
			if is, ok := spec.Type.(*ast.Ident); ok && is.Name == "Kind" {
				word, ok := spec.Values[0].(*ast.BasicLit)
				if !ok {
					t.Fatalf("%s is no plain word", spec.Names[0])
				}
				text, err := strconv.Unquote(word.Value)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, audit.Kind(text))
			}
		}
		return true
	})
	if !slices.Contains(all, audit.EvidenceMade) || strings.Contains(string(all[0]), " ") {
		t.Fatal("the kinds are written elsewhere")
	}
	return all
}
