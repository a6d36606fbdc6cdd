package demo

import (
	"keyturn/internal/locale"
	"keyturn/internal/policy"
)

// hillside is not connected. Two of its people have twins by name at the airport.
func hillside() workshop {
	return workshop{
		ref: "ws-1003", name: "Hillside Motors", region: "AU", zone: "Australia/Melbourne",
		usual: locale.DemoNotePassword,
		members: []member{
			{login: "jordan@hillsidemotors.example", first: "Jordan", last: "Blake", mobile: "+61491575254", group: policy.GroupAdmin, note: locale.DemoNoteTwin},
			{login: "alex@hillsidemotors.example", first: "Alex", last: "Nguyen", mobile: "+61491575789", group: policy.GroupMechanic, note: locale.DemoNoteTwin},
			{login: "erin@hillsidemotors.example", first: "Erin", last: "Castle", group: policy.GroupSales},
			bookkeeper(policy.GroupPayOnly),
		},
	}
}

// harbour is not connected, and one of its people signs in with a word.
func harbour() workshop {
	return workshop{
		ref: "ws-1005", name: "Harbour Mechanical", manager: otherManager, region: "NZ", zone: "Pacific/Auckland",
		usual: locale.DemoNotePassword,
		members: []member{
			{login: "mere@harbourmech.example", first: "Mere", last: "Walker", mobile: "+64215550151", group: policy.GroupAdmin},
			{login: "alex", first: "Alex", last: "Parata", group: policy.GroupMechanic, unmailable: true, note: locale.DemoNoteWord},
			{login: "accounts@harbourmech.example", first: "Joan", last: "Petrie", group: policy.GroupInvoiceOnly},
			{login: "hemi@harbourmech.example", first: "Hemi", last: "Rangi", mobile: "+64215550178", group: policy.GroupMechanic, kind: policy.Mobile, note: locale.DemoNoteMobile},
		},
	}
}

// pennine asks everybody by its own setting.
func pennine() workshop {
	return workshop{
		ref: "ws-1006", name: "Pennine Garage", manager: otherManager, region: "GB", zone: "Europe/London",
		twofa: policy.SettingEveryone, remember: policy.Remember14,
		usual: locale.DemoNoteCode,
		members: []member{
			{login: "nigel@penninegarage.example", first: "Nigel", last: "Ashworth", mobile: "+447400100123", group: policy.GroupAdmin, proved: true},
			{login: "sunita@penninegarage.example", first: "Sunita", last: "Rao", mobile: "+447400100654", group: policy.GroupManager, proved: true},
			{login: "callum@penninegarage.example", first: "Callum", last: "Firth", group: policy.GroupMechanic},
		},
	}
}

// lonestar asks person by person.
func lonestar() workshop {
	return workshop{
		ref: "ws-1007", name: "Lone Star Auto", region: "US", zone: "America/Chicago",
		twofa: policy.SettingPerUser,
		usual: locale.DemoNotePassword,
		members: []member{
			{login: "walt@lonestarauto.example", first: "Walt", last: "Jennings", mobile: "+12145550119", group: policy.GroupAdmin, proved: true, twofa: true, note: locale.DemoNoteToggleOn},
			{login: "carla@lonestarauto.example", first: "Carla", last: "Mendez", mobile: "+12145550172", group: policy.GroupInvoicePayment, note: locale.DemoNoteToggleOff},
			{login: "hank@lonestarauto.example", first: "Hank", last: "Dorsey", group: policy.GroupMechanic, note: locale.DemoNoteToggleOff},
		},
	}
}

// coastline was brought in without an Admin.
func coastline() workshop {
	return workshop{
		ref: "ws-1009", name: "Coastline Panel and Paint", region: "AU", zone: "Australia/Adelaide",
		usual: locale.DemoNoteNoAdmin,
		members: []member{
			{login: "office@coastlinepanel.example", first: "Deb", last: "Rourke", mobile: "+61491576398", group: policy.GroupOwner},
			{login: "matteo@coastlinepanel.example", first: "Matteo", last: "Greco", group: policy.GroupMechanic},
			{login: "yasmin@coastlinepanel.example", first: "Yasmin", last: "Haddad", mobile: "+61491576801", group: policy.GroupUser},
		},
	}
}
