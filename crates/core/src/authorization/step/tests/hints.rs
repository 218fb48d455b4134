//! `login_hint`: whom the app means, and who is asked then.

use super::*;

fn hinted(hint: &str, prompt: Prompt) -> AuthorizationRequest {
    AuthorizationRequest { login_hint: Some(hint.into()), ..request(prompt) }
}

#[test]
fn who_is_hinted_at_and_not_in_use_is_chosen_first() {
    let known = consent("openid profile email", "", NOW);
    let here = session(Time::from_seconds(9_500));
    let step = |request: &AuthorizationRequest| chosen(request, Some(&here), Some(&known));
    for hint in ["bob", "nobody", "bob@example.com", "+49 30 1", "ada@example.org", "\u{202E}"] {
        assert_eq!(step(&hinted(hint, Prompt::default())), Ok(Step::SelectAccount), "{hint}");
        assert_eq!(step(&hinted(hint, NONE)), Ok(granted("openid profile email", NOW)), "{hint}");
        let selected = Started { resumed: true, selected: Some(ada().id), ..Started::now(NOW) };
        let selected = AuthorizationRequest { started: selected, ..hinted(hint, Prompt::default()) };
        assert_eq!(step(&selected), Ok(granted("openid profile email", NOW)), "{hint}");
        let answered = Started { resumed: true, ..Started::now(Time::from_seconds(9_400)) };
        let answered = AuthorizationRequest { started: answered, ..hinted(hint, Prompt::default()) };
        assert_eq!(step(&answered), Ok(granted("openid profile email", NOW)), "she has signed in for it: {hint}");
        let login = Prompt { login: true, ..Prompt::default() };
        assert_eq!(step(&hinted(hint, login)), Ok(Step::Login), "{hint}");
        assert_eq!(chosen(&hinted(hint, Prompt::default()), None, None), Ok(Step::Login), "{hint}");
    }
}

#[test]
fn whoever_is_in_use_is_hinted_at_by_all_that_they_are_known_by() {
    let known = consent("openid profile email", "", NOW);
    let here = session(Time::from_seconds(9_500));
    for hint in ["ada", " ADA ", "Ada@Example.COM", "ada-subject"] {
        let step = chosen(&hinted(hint, Prompt::default()), Some(&here), Some(&known));
        assert_eq!(step, Ok(granted("openid profile email", NOW)), "{hint}");
    }
    let named = AuthorizationRequest { hinted_names: vec!["ada".into()], ..hinted("ａｄａ", Prompt::default()) };
    assert_eq!(chosen(&named, Some(&here), Some(&known)), Ok(granted("openid profile email", NOW)));
    let mut with_phone = ada();
    with_phone.claims.insert("phone_number".into(), "+1 (604) 555-1234".into());
    for hint in ["+1 (604) 555-1234", "+16045551234"] {
        assert!(hinted(hint, NONE).names(&Secrets::default().subjects, &with_phone), "{hint}");
        assert!(!hinted(hint, NONE).names(&Secrets::default().subjects, &ada()), "{hint}");
    }
    let asked = AuthorizationRequest { subject: Some(ada().subject), ..hinted("bob", Prompt::default()) };
    let step = chosen(&asked, Some(&here), Some(&known));
    assert_eq!(step, Ok(granted("openid profile email", NOW)), "an ID token is no mere hint");
}
