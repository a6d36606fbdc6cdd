package oidc

import (
	"testing"

	"keyturn/internal/web/webtest"
)

func TestThePagesBetweenAnApplicationAndTheSignInSayWhatIsSo(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, Face())
	webtest.Show(t, kit, "oidc-refused", RefusedPage{Words: "There is no such client."}).Sees("Go back to it and begin again", "There is no such client.")
	s := webtest.Show(t, kit, "oidc-stepup", StepUpPage{As: "Pat Lee", Client: "Workshop", Request: "r1"})
	s.Sees("Pat Lee", "Workshop asks for it")
	s.Has(`action="/oauth/continue"`, `name="request" value="r1"`)
	s = webtest.Show(t, kit, "oidc-leave", leavePage("Jobs app", "com.example.jobs:/cb?code=a&iss=b"))
	s.Sees("Go on to Jobs app")
	s.Has(`href="com.example.jobs:/cb?code=a&amp;iss=b"`)
	s = webtest.Show(t, kit, "oidc-logout", LogoutPage{As: "Pat Lee", Client: "c1", To: "https://product.example/", State: `"><b>`})
	s.Sees("every application")
	s.Has(`name="client_id" value="c1"`, `value="&#34;&gt;&lt;b&gt;"`)
	s = webtest.Show(t, kit, "oidc-logout-plain", LogoutPage{As: "Pat Lee"})
	s.Has(`action="/oauth/logout"`)
	s.Hides("post_logout_redirect_uri")
}
