//! Invented sentences and names, so that the dictionary knows the words of such messages.

/// Sentences by language.
pub(crate) fn sentences(language: &str) -> &'static [&'static str] {
    match language {
        "pt" => &PORTUGUESE,
        "sw" => &SWAHILI,
        _ => &ENGLISH,
    }
}

pub(crate) const GIVEN: [&str; 16] = [
    "Amina", "João", "Fátima", "Juma", "Rashid", "Maria", "Abdala", "Zainabu", "Hassan", "Teresa", "Salum",
    "Manuel", "Neema", "Momade", "Baraka", "Celeste",
];

pub(crate) const FAMILY: [&str; 16] = [
    "Mfano",
    "Exemplo",
    "Nantimbo",
    "Mtungwa",
    "Hassani",
    "Macaringue",
    "Rashidi",
    "Namuiche",
    "Mwinyi",
    "Imaginária",
    "Saide",
    "Chilundo",
    "Mapunda",
    "Nkunya",
    "Bacar",
    "Omari",
];

const PORTUGUESE: [&str; 18] = [
    "Foi visto pela última vez a caminho da fronteira.",
    "A viatura foi furtada durante a noite na cidade de Pemba.",
    "Solicita-se a apreensão e a comunicação imediata ao remetente.",
    "Os suspeitos atravessaram o rio Rovuma numa canoa.",
    "A motorizada estava estacionada em frente ao mercado.",
    "O proprietário apresentou queixa no Comando Distrital.",
    "Há informação de que se encontra na região de Mtwara.",
    "Deve ser tratado com cuidado porque pode estar armado.",
    "O passaporte foi extraviado durante a viagem.",
    "Pede-se que seja localizado e que se informe o posto mais próximo.",
    "O caso está a ser investigado pela Procuradoria Provincial de Cabo Delgado.",
    "Foram apreendidos documentos falsificados no mesmo local.",
    "A vítima foi levada contra a sua vontade.",
    "O número do motor foi raspado e pintado de novo.",
    "A família confirma que não tem notícias há vários dias.",
    "Viajava num autocarro com destino a Mocímboa da Praia.",
    "Segundo uma testemunha, estavam duas pessoas no local do crime.",
    "O mandado de captura foi emitido pelo Tribunal Judicial.",
];

const SWAHILI: [&str; 18] = [
    "Alionekana mara ya mwisho akielekea mpakani.",
    "Gari liliibwa usiku katika mji wa Mtwara.",
    "Tunaomba likamatwe na taarifa itumwe kwa mtumaji mara moja.",
    "Washukiwa walivuka mto Ruvuma kwa mtumbwi.",
    "Pikipiki ilikuwa imeegeshwa mbele ya soko.",
    "Mmiliki alitoa taarifa katika kituo cha polisi cha wilaya.",
    "Kuna taarifa kwamba yuko katika mkoa wa Cabo Delgado.",
    "Ashughulikiwe kwa uangalifu kwa sababu anaweza kuwa na silaha.",
    "Pasipoti ilipotea wakati wa safari.",
    "Tafadhali atafutwe alipo na kituo cha karibu kijulishwe.",
    "Shauri linachunguzwa na ofisi ya upelelezi ya mkoa.",
    "Hati za kughushi zilikamatwa mahali hapohapo.",
    "Mwathiriwa alichukuliwa bila ridhaa yake.",
    "Namba ya injini imefutwa na kupakwa rangi upya.",
    "Familia inathibitisha kwamba haina habari zake kwa siku kadhaa.",
    "Alikuwa akisafiri kwa basi kwenda Mocímboa da Praia.",
    "Kwa mujibu wa shahidi, watu wawili walikuwa mahali pa tukio.",
    "Hati ya kukamatwa ilitolewa na Mahakama ya Hakimu Mkazi.",
];

const ENGLISH: [&str; 14] = [
    "Last seen on the road to the border crossing.",
    "The vehicle was stolen during the night in the town.",
    "Please seize and inform the sender at once.",
    "The suspects crossed the river by canoe.",
    "The owner reported the theft at the district police station.",
    "The person is believed to be in the region of Mtwara.",
    "Approach with care: may be armed.",
    "The passport was lost during the journey.",
    "Please locate and inform the nearest post.",
    "The case is being investigated by the regional crime office.",
    "Forged documents were found at the same place.",
    "The engine number was filed off and painted over.",
    "The family has had no news for several days.",
    "A warrant of arrest was issued by the Resident Magistrate's Court.",
];
