"""The dashboard: a setting is chosen, run and explained on a page in the browser. Needs the extra
"ui" (Streamlit).

`setting`, `input_limits`, `controls` and `wording` are plain functions over tables and results;
`frame`, `panel` and the pages draw them with Streamlit; `runs` keeps children warm for all
sessions. Nothing here counts or judges: numbers come from `measure`, figures from `report`,
explanations from `explain`.
"""
