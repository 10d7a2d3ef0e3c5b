//! The sentences of the pages, in the three languages.

use rovuma_schemas::Locale;

use crate::password::PasswordFault;

/// All sentences in one language.
pub(in crate::oidc) struct Text {
    pub(in crate::oidc) title: &'static str,
    pub(in crate::oidc) login: &'static str,
    pub(in crate::oidc) password: &'static str,
    pub(in crate::oidc) button: &'static str,
    pub(in crate::oidc) change_title: &'static str,
    pub(in crate::oidc) change_why: &'static str,
    pub(in crate::oidc) password_now: &'static str,
    pub(in crate::oidc) password_new: &'static str,
    pub(in crate::oidc) password_again: &'static str,
    /// The same whatever was wrong: nobody learns which names exist.
    pub(in crate::oidc) wrong: &'static str,
    /// `{n}` becomes a number of minutes.
    blocked: &'static str,
    pub(in crate::oidc) stale: &'static str,
    pub(in crate::oidc) busy: &'static str,
    pub(in crate::oidc) different: &'static str,
    pub(in crate::oidc) unchanged: &'static str,
    short: &'static str,
    long: &'static str,
    repetitive: &'static str,
    holds_login: &'static str,
    pub(in crate::oidc) stopped_title: &'static str,
    pub(in crate::oidc) stopped: &'static str,
}

impl Text {
    /// The sentences in this language.
    pub(in crate::oidc) fn of(locale: Locale) -> &'static Self {
        match locale {
            Locale::Pt => &PT,
            Locale::Sw => &SW,
            Locale::En => &EN,
        }
    }

    /// Too many attempts; the next one in so many minutes.
    pub(in crate::oidc) fn blocked(&self, minutes: u64) -> String {
        self.blocked.replace("{n}", &minutes.to_string())
    }

    /// Why a password cannot be set.
    pub(in crate::oidc) fn password_fault(&self, fault: PasswordFault) -> &'static str {
        match fault {
            PasswordFault::Short => self.short,
            PasswordFault::Long => self.long,
            PasswordFault::Repetitive => self.repetitive,
            PasswordFault::HoldsLogin => self.holds_login,
        }
    }
}

static EN: Text = Text {
    title: "Log in",
    login: "Log-in name",
    password: "Password",
    button: "Log in",
    change_title: "Choose your own password",
    change_why: "Somebody else set your password. Choose one that only you know, of at least 15 characters: several words make a good one.",
    password_now: "Password you were given",
    password_new: "New password",
    password_again: "New password again",
    wrong: "The log-in name or the password is wrong, or this account may not log in.",
    blocked: "Too many attempts. Try again in {n} min.",
    stale: "This page was open for too long, or cookies are switched off. Please try again.",
    busy: "The service is busy. Please try again in a moment.",
    different: "The two new passwords differ.",
    unchanged: "The new password is the one you were given. Choose another.",
    short: "A password has at least 15 characters: several words make a good one.",
    long: "This password is too long.",
    repetitive: "This password repeats too few characters.",
    holds_login: "The password must not contain your log-in name.",
    stopped_title: "You cannot log in this way",
    stopped: "The application that sent you here asked for something that is not allowed. Go back to it and start again. If it happens again, give your administrator this code:",
};

static PT: Text = Text {
    title: "Entrar",
    login: "Nome de utilizador",
    password: "Palavra-passe",
    button: "Entrar",
    change_title: "Escolha a sua palavra-passe",
    change_why: "Outra pessoa definiu a sua palavra-passe. Escolha uma que só você conheça, com pelo menos 15 caracteres: várias palavras juntas são uma boa escolha.",
    password_now: "Palavra-passe que lhe deram",
    password_new: "Nova palavra-passe",
    password_again: "Nova palavra-passe, outra vez",
    wrong: "O nome de utilizador ou a palavra-passe está errado, ou esta conta não pode entrar.",
    blocked: "Demasiadas tentativas. Tente de novo daqui a {n} min.",
    stale: "Esta página esteve aberta demasiado tempo, ou os cookies estão desligados. Tente de novo.",
    busy: "O serviço está ocupado. Tente de novo dentro de momentos.",
    different: "As duas palavras-passe novas são diferentes.",
    unchanged: "A nova palavra-passe é a que lhe deram. Escolha outra.",
    short: "Uma palavra-passe tem pelo menos 15 caracteres: várias palavras juntas são uma boa escolha.",
    long: "Esta palavra-passe é demasiado longa.",
    repetitive: "Esta palavra-passe repete muito poucos caracteres.",
    holds_login: "A palavra-passe não pode conter o seu nome de utilizador.",
    stopped_title: "Não é possível entrar desta forma",
    stopped: "A aplicação que o enviou para aqui pediu algo que não é permitido. Volte a ela e comece de novo. Se voltar a acontecer, dê este código ao seu administrador:",
};

static SW: Text = Text {
    title: "Ingia",
    login: "Jina la mtumiaji",
    password: "Nenosiri",
    button: "Ingia",
    change_title: "Chagua nenosiri lako mwenyewe",
    change_why: "Nenosiri lako liliwekwa na mtu mwingine. Chagua unalolijua wewe peke yako, lenye herufi 15 au zaidi: maneno kadhaa pamoja hufanya nenosiri zuri.",
    password_now: "Nenosiri ulilopewa",
    password_new: "Nenosiri jipya",
    password_again: "Nenosiri jipya tena",
    wrong: "Jina la mtumiaji au nenosiri si sahihi, au akaunti hii hairuhusiwi kuingia.",
    blocked: "Umejaribu mara nyingi mno. Jaribu tena baada ya dakika {n}.",
    stale: "Ukurasa huu umekaa wazi kwa muda mrefu mno, au vidakuzi vimezimwa. Tafadhali jaribu tena.",
    busy: "Huduma ina shughuli nyingi. Tafadhali jaribu tena baada ya muda mfupi.",
    different: "Manenosiri mapya mawili hayalingani.",
    unchanged: "Nenosiri jipya ni lile ulilopewa. Chagua lingine.",
    short: "Nenosiri lina herufi 15 au zaidi: maneno kadhaa pamoja hufanya nenosiri zuri.",
    long: "Nenosiri hili ni refu mno.",
    repetitive: "Nenosiri hili linarudia herufi chache mno.",
    holds_login: "Nenosiri lisiwe na jina lako la mtumiaji ndani yake.",
    stopped_title: "Huwezi kuingia kwa njia hii",
    stopped: "Programu iliyokuleta hapa imeomba jambo lisiloruhusiwa. Rudi kwenye programu hiyo na uanze upya. Likitokea tena, mpe msimamizi wako msimbo huu:",
};
